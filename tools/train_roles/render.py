"""Renders the training and test tracks: render.py OUT_FOLDER

Every track is a few seconds of one role, from formulas (synth.py) or from a General MIDI soundfont through
fluidsynth (Debian: fluidsynth fluid-soundfont-gm timgm6mb-soundfont musescore-general-soundfont-small).
One soundfont and other seeds are kept for testing. Writes raw float files and list.tsv for the example
`dump_features` (label, channels, rate, path); the path says `train` or `test`.
"""
import pathlib
import struct
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import synth

RATE = synth.RATE
SECONDS, GAP = 10.0, 3.0
FONTS = {
    "train-fluid": "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "train-tim": "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "test-muse": "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3",
}
PER_FONT = {"train-fluid": 34, "train-tim": 28, "test-muse": 14}
PER_FORMULA = {"train": 44, "test": 10}
# Voices have no soundfont to speak of; drive makes many guitars of one.
MORE = {"vocal": 4, "electric guitar": 2, "fx": 2}

PROGRAMS = {
    "piano": [0, 0, 1, 2, 3],
    "keys": [4, 5, 4, 5, 6, 7, 8, 9, 11, 12, 21],
    "organ": [16, 17, 18, 19],
    "acoustic guitar": [24, 25, 25, 105],
    "electric guitar": [26, 27, 28, 29, 30, 27, 29, 30],
    "bass": [32, 33, 34, 35, 36, 37, 38, 39],
    "strings": [40, 41, 42, 43, 44, 45, 46, 48, 48, 49, 50],
    "choir": [52, 53],
    "brass": [56, 57, 58, 59, 60, 61, 61],
    "woodwind": [64, 65, 66, 67, 68, 70, 71, 73, 75],
    "synth": [80, 81, 83, 84, 87],
    "pad": [88, 89, 90, 91, 92, 94, 95],
    "fx": [96, 97, 99, 101, 102, 103, 122, 126],
}
LOW_HIGH = {
    "piano": (36, 88), "keys": (48, 86), "organ": (48, 84), "acoustic guitar": (40, 78), "electric guitar": (40, 80),
    "bass": (28, 48), "strings": (40, 88), "choir": (48, 76), "brass": (48, 80), "woodwind": (52, 86),
    "synth": (55, 90), "pad": (45, 80), "fx": (40, 76),
}
DRUMS = {
    "kick": [35, 36], "snare": [38, 40, 38, 40, 37], "clap": [39], "hi-hat": [42, 44, 46],
    "cymbals": [49, 51, 52, 53, 55, 57, 59], "tom": [41, 43, 45, 47, 48, 50],
    "percussion": [54, 56, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 75, 76, 77, 82],
}
KITS = [0, 8, 16, 24, 25, 32, 40]


def drum_notes(rng, label):
    if label == "drum kit":
        notes = []
        beat = 60 / rng.uniform(75, 170)
        kick, snare, ride = int(rng.choice([35, 36])), int(rng.choice([38, 40])), int(rng.choice([42, 42, 46, 51]))
        for i in range(int(SECONDS / (beat / 2))):
            at = 0.02 + i * beat / 2
            if i % 4 == 0 or rng.random() < 0.2:
                notes.append((at, 0.1, kick, rng.uniform(0.7, 1)))
            if i % 4 == 2 or rng.random() < 0.08:
                notes.append((at, 0.1, snare, rng.uniform(0.6, 1)))
            notes.append((at, 0.1, ride, rng.uniform(0.3, 0.9)))
            if i % 16 == 0:
                notes.append((at, 1, 49, rng.uniform(0.5, 1)))
            if i % 32 > 28:
                notes.append((at + beat / 4, 0.1, int(rng.choice(DRUMS["tom"])), 0.8))
        return notes
    keys = DRUMS[label]
    few = rng.choice(keys, size=min(len(keys), int(rng.integers(1, 4))), replace=False)
    if label in ("kick", "snare", "clap"):
        few = few[:1]
    chance = {"cymbals": rng.choice([0.1, 0.3, 0.9]), "tom": rng.uniform(0.1, 0.4)}.get(label, rng.uniform(0.3, 0.9))
    per_beat = 1 if label in ("clap", "cymbals") else int(rng.choice([1, 2, 4] if label in ("hi-hat", "percussion") else [1, 2]))
    return [(at, 0.2, int(rng.choice(few)), v) for _, at, v in synth.grid(rng, SECONDS, per_beat, chance)]


def pitched_notes(rng, label, program):
    low, high = LOW_HIGH[label]
    if label == "strings" and program in (42, 43):
        low, high = (36, 62) if program == 42 else (28, 50)
    if label == "woodwind" and program in (67, 70):
        low, high = 40, 62
    if label == "brass" and program == 58:
        low, high = 34, 55
    single = label in ("bass", "woodwind") or (label in ("brass", "strings") and program not in (44, 45, 46, 48, 49, 50, 61, 62))
    if label in ("pad", "choir"):
        notes = synth.chords(rng, SECONDS, low, high)
        return [(a, l * 1.1, n, v) for a, l, n, v in notes if l > 0.4] or [(0, 9.0, 60, 0.8), (0, 9.0, 67, 0.8)]
    if single or rng.random() < 0.45:
        span = int(rng.integers(10, 25))
        start = int(rng.integers(low, max(low + 1, high - span)))
        return synth.melody(rng, SECONDS, start, min(high, start + span))
    return synth.chords(rng, SECONDS, low, high, rng.uniform(0.005, 0.02) if "guitar" in label else 0.0)


def varlen(n):
    out = [n & 127]
    while n := n >> 7:
        out.insert(0, 128 | (n & 127))
    return bytes(out)


def midi(segments):
    """One file with every track behind the other, 1000 ticks a second."""
    events = []
    for i, (label, program, notes) in enumerate(segments):
        zero = int(i * (SECONDS + GAP) * 1000)
        channel = 9 if label in DRUMS or label == "drum kit" else 0
        events.append((zero, 0, bytes([0xC0 | channel, program])))
        for at, length, note, vel in notes:
            if at < SECONDS - 0.1 and 0 <= note < 128:
                end = min(at + length, SECONDS)
                events.append((zero + int(at * 1000) + 5, 2, bytes([0x90 | channel, note, int(1 + 126 * min(vel, 1))])))
                events.append((zero + int(end * 1000) + 5, 1, bytes([0x80 | channel, note, 0])))
    events.sort(key=lambda e: (e[0], e[1]))
    body, now = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big"), 0
    for at, _, data in events:
        body += varlen(at - now) + data
        now = at
    end = int(len(segments) * (SECONDS + GAP) * 1000)
    body += varlen(max(0, end - now)) + b"\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1000) + b"MTrk" + struct.pack(">I", len(body)) + body


def save(folder, label, name, x):
    path = folder / f"{name}.f32"
    x.astype("<f4").tofile(path)
    return f"{label}\t1\t{RATE}\t{path}"


def bleed_for(rng, label):
    close = label in ("kick", "snare", "hi-hat", "cymbals", "tom", "drum kit", "percussion", "vocal")
    if close and rng.random() < 0.4:
        return synth.drum_track(np.random.default_rng(rng.integers(1 << 30)), "drum kit", SECONDS)
    return None


def font(job):
    folder, name, sf, count = job
    labels = list(PROGRAMS) + list(DRUMS) + ["drum kit"]
    rng = np.random.default_rng(sum(name.encode()))
    segments = []
    for label in labels:
        for i in range(count):
            if label in PROGRAMS:
                program = PROGRAMS[label][i % len(PROGRAMS[label])]
                segments.append((label, program, pitched_notes(rng, label, program)))
            else:
                segments.append((label, KITS[i % len(KITS)], drum_notes(rng, label)))
    mid, wav = folder / f"{name}.mid", folder / f"{name}.raw"
    mid.write_bytes(midi(segments))
    subprocess.run(["fluidsynth", "-niq", "-R", "0", "-C", "0", "-g", "0.4", "-r", str(RATE), "-O", "float", "-T", "raw",
                    "-F", str(wav), sf, str(mid)], check=True, stdout=subprocess.DEVNULL)
    sound = np.memmap(wav, "<f4", "r").reshape(-1, 2)
    lines = []
    for i, (label, program, _) in enumerate(segments):
        start = int(i * (SECONDS + GAP) * RATE)
        x = np.array(sound[start:start + int((SECONDS + 0.5) * RATE)].mean(axis=1), float)
        if np.abs(x).max() < 1e-5:
            continue
        if label == "electric guitar" and rng.random() < 0.6:
            x = synth.amplifier(x, rng)
        x = synth.recorded(x, rng, bleed_for(rng, label))
        lines.append(save(folder, label, f"{name}-{label.replace(' ', '_')}-{i}", x))
    wav.unlink()
    return lines


def formulas(job):
    folder, split, label, count = job
    lines = []
    for i in range(count):
        rng = np.random.default_rng([sum(label.encode()), i, 1 if split == "test" else 0])
        x = synth.recorded(synth.MAKERS[label](rng, SECONDS), rng, bleed_for(rng, label))
        lines.append(save(folder, label, f"{split}-formula-{label.replace(' ', '_')}-{i}", x))
    return lines


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    with ProcessPoolExecutor(2) as pool:
        jobs = [pool.submit(font, (folder, n, sf, PER_FONT[n])) for n, sf in FONTS.items()]
        for split, count in PER_FORMULA.items():
            for label in synth.MAKERS:
                jobs.append(pool.submit(formulas, (folder, split, label, count * MORE.get(label, 1))))
        for job in jobs:
            lines += job.result()
    (folder / "list.tsv").write_text("\n".join(lines) + "\n")
    print(len(lines), "tracks")


if __name__ == "__main__":
    main()
