"""Fits the table of roles: train.py FEATURES.csv TABLE.txt

A multinomial logistic regression over the features of `dump_features` and their hinges (how far a standardised
feature lies above -1, 0 and 1 deviations), so that each role's evidence is a sum of curves, one per
feature: readable, and smooth where training never was. Rows whose path holds `/train` are fitted with one row of
weight for each role; `/test` rows (a soundfont and seeds of their own) fix the temperature that calibrates
the confidence, and are reported. Numbers are rounded as they are stored.
"""
import csv
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression

HINGES = (-1.0, 0.0, 1.0)
LIMIT = 3.0
STRENGTH = 0.3


def load(path):
    rows = list(csv.reader(open(path)))
    names = rows[0][2:]
    labels = np.array([r[0] for r in rows[1:]])
    held_out = np.array(["/test" in r[1] for r in rows[1:]])
    return names, labels, held_out, np.array([[float(x) for x in r[2:]] for r in rows[1:]])


def curves(x, mean, deviation):
    z = np.clip((x - mean) / deviation, -LIMIT, LIMIT)
    return np.hstack([z] + [np.maximum(0, z - h) for h in HINGES])


def main():
    names, labels, held_out, x = load(sys.argv[1])
    mean, deviation = x[~held_out].mean(0).round(4), (x[~held_out].std(0) + 1e-3).round(4)
    model = LogisticRegression(C=STRENGTH, max_iter=400, class_weight="balanced")
    model.fit(curves(x[~held_out], mean, deviation), labels[~held_out])
    weights, bias = model.coef_.round(3), model.intercept_.round(3)
    scores = curves(x[held_out], mean, deviation) @ weights.T + bias
    truth = np.array([list(model.classes_).index(l) for l in labels[held_out]])
    right = scores.argmax(1) == truth

    def cost(temperature):
        s = scores / temperature
        s = s - s.max(1, keepdims=True)
        return -(s - np.log(np.exp(s).sum(1, keepdims=True)))[np.arange(len(truth)), truth].mean()

    temperature = min(np.arange(0.5, 6.0, 0.05), key=cost)
    print(f"trained on {int((~held_out).sum())}, held out {len(truth)}, right {right.mean():.3f}, temperature {temperature:.2f}")
    with open(sys.argv[2], "w") as out:
        out.write("# Evidence for roles by sound; made by tools/train_roles/train.py, read by roles::sound.\n")
        out.write("# feature NAME MEAN DEVIATION; then for each role its bias and, in the order of the\n")
        out.write("# features, four weights: the standardised feature and its hinges at -1, 0, 1 deviations.\n")
        out.write(f"temperature {temperature:.2f}\n")
        for name, m, d in zip(names, mean, deviation):
            out.write(f"feature {name} {m:g} {d:g}\n")
        n = len(names)
        for k, label in enumerate(model.classes_):
            out.write(f"role {label.replace(' ', '_')} {bias[k]:g}\n")
            for i in range(n):
                out.write(" ".join(f"{weights[k][j * n + i]:g}" for j in range(4)) + "\n")


if __name__ == "__main__":
    main()
