"""Instruments made from formulas: drums, basses, synths, guitars, organs, effects and a singing voice."""
import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

RATE = 44_100


def times(seconds):
    return np.arange(int(seconds * RATE)) / RATE


def band(x, low=None, high=None, order=2):
    if low and high:
        sos = butter(order, [low, high], "band", fs=RATE, output="sos")
    elif low:
        sos = butter(order, low, "high", fs=RATE, output="sos")
    else:
        sos = butter(order, high, "low", fs=RATE, output="sos")
    return sosfilt(sos, x)


def put(out, at_s, sound, gain=1.0):
    start = int(at_s * RATE)
    if start < len(out):
        n = min(len(sound), len(out) - start)
        out[start:start + n] += gain * sound[:n]


# ---------------------------------------------------------------- drums

def kick(rng):
    t = times(rng.uniform(0.15, 0.6))
    low, sweep, fall = rng.uniform(42, 62), rng.uniform(60, 260), rng.uniform(0.008, 0.05)
    phase = 2 * np.pi * (low * t + sweep * fall * (1 - np.exp(-t / fall)))
    body = np.sin(phase) * np.exp(-t / rng.uniform(0.05, 0.2))
    click = band(rng.standard_normal(len(t)), rng.uniform(1000, 3000), 9000) * np.exp(-t / 0.004)
    return np.tanh(rng.uniform(1, 3) * (body + rng.uniform(0.02, 0.5) * click))


def snare(rng):
    t = times(rng.uniform(0.15, 0.4))
    f = rng.uniform(150, 260)
    body = (np.sin(2 * np.pi * f * t) + 0.6 * np.sin(2 * np.pi * f * 1.59 * t)) * np.exp(-t / rng.uniform(0.03, 0.09))
    wires = band(rng.standard_normal(len(t)), rng.uniform(600, 1800), rng.uniform(7000, 15000)) * np.exp(-t / rng.uniform(0.04, 0.14))
    return np.tanh(1.5 * (body + rng.uniform(0.6, 2.0) * wires))


def clap(rng):
    t = times(0.3)
    env = sum(np.where(t >= d, np.exp(-(t - d) / 0.004), 0) for d in (0, 0.011, 0.023)) + np.where(t >= 0.03, np.exp(-(t - 0.03) / rng.uniform(0.03, 0.1)), 0)
    return band(rng.standard_normal(len(t)), rng.uniform(700, 1100), rng.uniform(2500, 6000)) * env


def hat(rng, is_open):
    t = times(0.5 if is_open else 0.12)
    metal = sum(np.sign(np.sin(2 * np.pi * rng.uniform(3000, 9000) * t)) for _ in range(6)) + 2 * rng.standard_normal(len(t))
    return band(metal, rng.uniform(5000, 8500)) * np.exp(-t / (rng.uniform(0.1, 0.3) if is_open else rng.uniform(0.015, 0.05)))


def cymbal(rng):
    t = times(rng.uniform(1.5, 3.0))
    metal = sum(np.sin(2 * np.pi * rng.uniform(400, 9000) * t + rng.uniform(0, 6)) for _ in range(24)) + 3 * rng.standard_normal(len(t))
    return band(metal, rng.uniform(1500, 4000)) * np.exp(-t / rng.uniform(0.4, 1.2)) * np.minimum(1, t / 0.003)


def tom(rng):
    t = times(rng.uniform(0.4, 0.9))
    f = rng.uniform(65, 200)
    phase = 2 * np.pi * (f * t + 0.25 * f * 0.04 * (1 - np.exp(-t / 0.04)))
    body = (np.sin(phase) + 0.3 * np.sin(1.6 * phase)) * np.exp(-t / rng.uniform(0.1, 0.35))
    return body + 0.3 * band(rng.standard_normal(len(t)), 1000, 6000) * np.exp(-t / 0.006)


def grid(rng, seconds, per_beat, chance):
    beat = 60 / rng.uniform(75, 165)
    step = beat / per_beat
    for i in range(int(seconds / step)):
        if rng.random() < chance:
            yield i, i * step + rng.normal(0, 0.004) + 0.02, rng.uniform(0.5, 1.0)


def drum_track(rng, label, seconds):
    out = np.zeros(int(seconds * RATE))
    if label in ("kick", "snare", "clap"):
        make = {"kick": kick, "snare": snare, "clap": clap}[label]
        one = make(rng)
        off = label != "kick"
        for i, at, gain in grid(rng, seconds, 2, 1.0):
            if (i % 4 == (2 if off else 0)) or rng.random() < 0.2:
                put(out, at, one, gain)
    elif label == "hi-hat":
        shut, wide = hat(rng, False), hat(rng, True)
        for _, at, gain in grid(rng, seconds, int(rng.choice([1, 2, 4])), rng.uniform(0.6, 1)):
            put(out, at, wide if rng.random() < 0.15 else shut, gain)
    elif label == "cymbals":
        one, two = cymbal(rng), cymbal(rng)
        for i, at, gain in grid(rng, seconds, 1, rng.choice([0.15, 0.4, 1.0])):
            put(out, at, one if rng.random() < 0.6 else two, gain)
    elif label == "tom":
        toms = [tom(rng) for _ in range(int(rng.integers(1, 4)))]
        for _, at, gain in grid(rng, seconds, 2, rng.uniform(0.1, 0.4)):
            put(out, at, toms[int(rng.integers(len(toms)))], gain)
    else:  # drum kit
        for part, gain in (("kick", 1), ("snare", rng.uniform(0.4, 1)), ("hi-hat", rng.uniform(0.1, 0.5)), ("cymbals", rng.uniform(0, 0.3))):
            state = np.random.default_rng(rng.integers(1 << 30))
            out += gain * drum_track(state, part, seconds)
    return out


# ---------------------------------------------------------------- notes

SCALES = ([0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10], [0, 3, 5, 7, 10], [0, 2, 4, 7, 9])


def melody(rng, seconds, low, high, beat=None, busy=None):
    """(start, length, midi note, velocity 0..1)"""
    beat = beat or 60 / rng.uniform(70, 160)
    scale = [n for n in range(low, high) if (n - int(rng.integers(12))) % 12 in SCALES[int(rng.integers(4))]] or [low]
    at, place, notes = 0.02, int(rng.integers(len(scale))), []
    busy = rng.uniform(0.6, 1.0) if busy is None else busy
    lengths = [[0.25, 0.5], [0.5, 1], [0.5, 1, 2], [1, 2, 4]][int(rng.integers(4))]
    hold = rng.uniform(0.5, 1.0)
    while at < seconds:
        step = beat * float(rng.choice(lengths))
        if rng.random() < busy:
            notes.append((at, step * hold, scale[place], rng.uniform(0.55, 1)))
        place = int(np.clip(place + rng.integers(-3, 4), 0, len(scale) - 1))
        at += step
    return notes


def chords(rng, seconds, low, high, strum=0.0):
    beat = 60 / rng.uniform(65, 140)
    every = beat * float(rng.choice([0.5, 1, 2, 4]))
    hold = rng.uniform(0.5, 1.0)
    shape = [[0, 4, 7], [0, 3, 7], [0, 4, 7, 11], [0, 7, 12, 16], [0, 7, 12]][int(rng.integers(5))]
    notes, at, root = [], 0.02, int(rng.integers(low, max(low + 1, high - 16)))
    while at < seconds:
        if rng.random() < 0.35:
            root = int(rng.integers(low, max(low + 1, high - 16)))
        for i, n in enumerate(shape):
            notes.append((at + i * strum, every * hold, root + n, rng.uniform(0.55, 0.95)))
        at += every
    return notes


def hz(note):
    return 440 * 2 ** ((note - 69) / 12)


def adsr(n, attack, decay, sustain, release):
    t = np.arange(n) / RATE
    held = np.minimum(1, t / max(attack, 1e-4)) * (sustain + (1 - sustain) * np.exp(-np.maximum(0, t - attack) / decay))
    return held * np.minimum(1, np.maximum(0, (n / RATE - t) / max(release, 1e-4)))


def wave(kind, f, t, rng, detune=0.0, voices=1):
    out = 0
    for v in range(voices):
        ff = f * 2 ** (detune * rng.uniform(-1, 1) / 1200)
        ph = (ff * t + rng.random()) % 1
        if kind == "saw":
            step = ff / RATE
            x = 2 * ph - 1
            # polynomial band-limited step
            x -= np.where(ph < step, 2 * ph / step - (ph / step) ** 2 - 1, 0)
            x -= np.where(ph > 1 - step, ((ph - 1) / step) ** 2 + 2 * (ph - 1) / step + 1, 0)
        elif kind == "square":
            x = np.tanh(8 * np.sin(2 * np.pi * ph))
        else:
            x = np.sin(2 * np.pi * ph)
        out = out + x
    return out / voices


def played(rng, notes, seconds, make):
    out = np.zeros(int(seconds * RATE))
    for at, length, note, vel in notes:
        put(out, at, make(hz(note), min(length, 6.0)), vel)
    return out


def bass_track(rng, seconds):
    kind = str(rng.choice(["saw", "square", "sine"]))
    cut, drive = rng.uniform(150, 1200), rng.uniform(0.5, 4)
    long = rng.random() < 0.4

    def make(f, length):
        t = times(length + 0.05)
        x = wave(kind, f, t, rng, 8, 2) + rng.uniform(0, 0.5) * np.sin(2 * np.pi * f * t)
        return x * adsr(len(t), 0.005, rng.uniform(0.2, 0.8), 0.7 if long else 0.2, 0.03)
    out = played(rng, melody(rng, seconds, 28, 48), seconds, make)
    return np.tanh(drive * band(out, high=cut))


def string_pluck(f, length, rng, bright, loss):
    """Plucked string: delay line with a damping filter."""
    n = int(length * RATE)
    period = max(2, int(RATE / f - 0.5))
    burst = band(rng.uniform(-1, 1, period + 64), high=bright)[64:]
    x = np.zeros(n)
    x[:min(period, n)] = burst[:min(period, n)]
    a = np.zeros(period + 2)
    a[0], a[period], a[period + 1] = 1.0, -loss * 0.5, -loss * 0.5
    return lfilter([1.0], a, x)


def guitar_track(rng, seconds, electric):
    strum = rng.uniform(0.003, 0.02)
    notes = chords(rng, seconds, 40, 66, strum) if rng.random() < 0.6 else melody(rng, seconds, 45, 76)
    bright, loss = (rng.uniform(2500, 6000), rng.uniform(0.990, 0.998)) if electric else (rng.uniform(4000, 12000), rng.uniform(0.985, 0.997))

    def make(f, length):
        return string_pluck(f, length + 0.1, rng, bright, loss) * adsr(int((length + 0.1) * RATE), 0.001, 9, 1, 0.05)
    out = played(rng, notes, seconds, make)
    if electric:
        return amplifier(out, rng)
    return out + 0.6 * band(out, 90, 130) + 0.4 * band(out, 180, 240)


def amplifier(x, rng):
    """Drive and a loudspeaker's band."""
    x = band(x, rng.uniform(70, 150))
    x = x / (np.sqrt(np.mean(x ** 2)) + 1e-9)
    drive = 10 ** rng.uniform(-1.0, 1.6)
    x = np.tanh(drive * x + rng.uniform(0, 0.2))
    if rng.random() < 0.5:
        x = np.tanh(rng.uniform(1, 4) * band(x, 300))
    x = band(band(x, rng.uniform(60, 120)), high=rng.uniform(3500, 6500), order=4)
    return x + rng.uniform(0, 1.0) * band(x, 1500, 3500)


def synth_track(rng, seconds, pad):
    kind = str(rng.choice(["saw", "square", "sine"], p=[0.6, 0.25, 0.15]))
    voices, detune = int(rng.integers(1, 6)), rng.uniform(3, 25)
    attack = rng.uniform(0.3, 1.5) if pad else rng.uniform(0.001, 0.03)
    sustain = 1.0 if pad else float(rng.choice([0.0, 0.4, 0.9]))
    release = rng.uniform(0.4, 1.5) if pad else rng.uniform(0.02, 0.3)
    if pad:
        notes = [(a, l * 1.3 + 0.5, n, v) for a, l, n, v in chords(rng, seconds, 45, 76) if True]
        starts = sorted({round(a, 3) for a, *_ in notes})
        keep = starts[::max(1, int(2.5 / max(0.2, (starts[1] - starts[0]) if len(starts) > 1 else 3)))]
        gap = (keep[1] - keep[0]) if len(keep) > 1 else 4.0
        notes = [(a, gap * 1.2, n, v) for a, _, n, v in notes if round(a, 3) in keep]
    else:
        notes = melody(rng, seconds, 55, 90) if rng.random() < 0.7 else chords(rng, seconds, 50, 80)

    def make(f, length):
        t = times(length + release)
        return wave(kind, f, t, rng, detune, voices) * adsr(len(t), attack, rng.uniform(0.1, 0.5), sustain, release)
    out = played(rng, notes, seconds, make)
    cut = rng.uniform(500, 4000) if pad else rng.uniform(1200, 12000)
    return band(out, high=cut) + 0.1 * out


def organ_track(rng, seconds):
    bars = rng.random(9) * (rng.random(9) < 0.6)
    bars[2] += 0.5
    ratios = [0.5, 1.5, 1, 2, 3, 4, 5, 6, 8]
    rotor = rng.uniform(0.7, 7)

    def make(f, length):
        t = times(length)
        x = sum(b * np.sin(2 * np.pi * f * r * t) for b, r in zip(bars, ratios) if f * r < 15000)
        return x * adsr(len(t), 0.006, 9, 1, 0.01)
    out = played(rng, chords(rng, seconds, 48, 80) if rng.random() < 0.7 else melody(rng, seconds, 55, 85), seconds, make)
    t = times(seconds)
    out = out / (np.abs(out).max() + 1e-9)
    return np.tanh(rng.uniform(0.5, 4) * out) * (1 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * rotor * t))


def fx_track(rng, seconds):
    out = np.zeros(int(seconds * RATE))
    kind = int(rng.integers(5))
    t = times(seconds)
    if kind == 0:  # risers and falls of noise
        for part in range(2):
            n = len(out) // 2
            up = np.linspace(0, 1, n) if rng.random() < 0.6 else np.linspace(1, 0, n)
            noise = rng.standard_normal(n)
            out[part * n:part * n + n] = band(noise, 300, 2000) * (1 - up) * up + band(noise, 2000, 14000) * up ** 2
    elif kind == 1:  # impacts
        for at in np.arange(0.1, seconds, rng.uniform(2.5, 5)):
            tt = times(3)
            put(out, at, np.sin(2 * np.pi * rng.uniform(30, 60) * tt) * np.exp(-tt / 0.8) + band(rng.standard_normal(len(tt)), high=rng.uniform(500, 4000)) * np.exp(-tt / 0.5))
    elif kind == 2:  # texture: slow noise bands
        for _ in range(5):
            c = 10 ** rng.uniform(2.3, 4)
            out += band(rng.standard_normal(len(out)), c * 0.8, c * 1.25) * (1 + np.sin(2 * np.pi * rng.uniform(0.05, 0.7) * t + rng.uniform(0, 6)))
    elif kind == 4:  # scratches and glitches: noise and tones swept within a fraction of a second
        at = 0.1
        while at < seconds:
            tt = times(rng.uniform(0.04, 0.3))
            f = np.interp(tt, np.linspace(0, tt[-1], 4), 10 ** rng.uniform(2.2, 3.9, 4))
            x = np.sin(2 * np.pi * np.cumsum(f) / RATE) * rng.random() + band(rng.standard_normal(len(tt)), f.min() * 0.7, min(f.max() * 1.3, 15000)) * rng.random()
            put(out, at, x * np.hanning(len(tt)), rng.uniform(0.3, 1))
            at += rng.uniform(0.05, 0.6)
    else:  # sweeping tones
        f = 10 ** (np.interp(t, np.linspace(0, seconds, 6), rng.uniform(2, 3.8, 6)))
        out = np.sin(2 * np.pi * np.cumsum(f) / RATE) * (0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.2, 9) * t)) + 0.2 * band(rng.standard_normal(len(out)), 1000, 8000)
    return out


# ---------------------------------------------------------------- voice

VOWELS = np.array([[800, 1150, 2900], [350, 2000, 2800], [270, 2140, 2950], [450, 800, 2830], [325, 700, 2700], [600, 1700, 2600], [500, 1500, 2500]], float)


def voice_track(rng, seconds, choir=False):
    out = np.zeros(int(seconds * RATE))
    singers = int(rng.integers(5, 9)) if choir else 1
    low = int(rng.choice([45, 52, 57]))
    score = melody(rng, seconds, low, low + int(rng.integers(6, 15)), busy=rng.uniform(0.55, 0.95))
    if choir:
        score = [(a, max(l, 0.8), n, v) for a, l, n, v in score[::3]]
    spoken = (not choir) and rng.random() < 0.35
    if not choir:
        # short words, wide dynamics: chopped, spoken and rapped voices
        short = rng.uniform(0.3, 1.0)
        depth = rng.uniform(0.0, 0.8)
        score = [(a, l * short, n, v * (1 - depth * rng.random())) for a, l, n, v in score]
    breath, rough, tilt = rng.uniform(0.005, 0.08), float(rng.choice([0, 0, 0.3, 1.0])), rng.uniform(1.0, 1.9)
    scale = rng.uniform(0.95, 1.25)
    hiss, bite = rng.uniform(0.02, 0.25), rng.uniform(0.05, 0.3)
    for _ in range(singers):
        pitch = hz(score[0][2]) if score else 200.0
        for at, length, note, vel in score:
            length = min(max(length, 0.12), 3.0)
            t = times(length)
            target = hz(note) * 2 ** (rng.normal(0, 12) / 1200)
            glide = np.exp(-t / rng.uniform(0.02, 0.08))
            vib = rng.uniform(10, 60) * np.minimum(1, t / 0.35) * np.sin(2 * np.pi * rng.uniform(4.8, 6.6) * t + rng.uniform(0, 6))
            slow = np.interp(t, np.linspace(0, length, 6), rng.normal(0, 150 if spoken else 12, 6))
            f = target * (pitch / target) ** glide * 2 ** ((vib + slow + np.cumsum(rng.normal(0, 0.3, len(t)))) / 1200)
            pitch = f[-1]
            phase = np.cumsum(f) / RATE
            count = int(min(40, 9000 / f.mean()))
            source = sum(np.sin(2 * np.pi * k * phase) / k ** tilt for k in range(1, count + 1))
            if rough:
                source = source * (1 + rough * band(rng.standard_normal(len(t)), 20, 90) * 3)
                source = np.tanh(2 * source)
            source += breath * rng.standard_normal(len(t)) * (1 + source)
            x = np.zeros(len(t))
            vowel = VOWELS[int(rng.integers(len(VOWELS)))] * scale * rng.uniform(0.94, 1.06)
            for k, (fc, bw, g) in enumerate(zip(list(vowel) + [3400 * scale, 4600], [80, 100, 140, 200, 250], [1, rng.uniform(0.4, 0.9), rng.uniform(0.2, 0.6), rng.uniform(0.15, 0.5), 0.1])):
                r = np.exp(-np.pi * bw / RATE)
                w = 2 * np.pi * fc / RATE
                x += g * lfilter([1 - r], [1, -2 * r * np.cos(w), r * r], source) * fc / 500
            put(out, at, x * adsr(len(t), rng.uniform(0.02, 0.08), 2, 0.8, rng.uniform(0.03, 0.1)), vel * 0.3)
            if rng.random() < (0.25 if choir else 0.6):
                d = rng.uniform(0.05, 0.16)
                s = band(rng.standard_normal(int(d * RATE)), rng.uniform(4000, 6000), rng.uniform(8000, 13000)) * np.hanning(int(d * RATE))
                put(out, at - d * 0.8 if at > d else at, s, hiss)
            elif rng.random() < 0.5:
                d = 0.015
                put(out, at, band(rng.standard_normal(int(d * RATE)), 1500, 6000) * np.exp(-times(d) / 0.004)[:int(d * RATE)], bite)
    if not choir and rng.random() < 0.3:  # an echo
        gap = int(rng.uniform(0.1, 0.5) * RATE)
        for k in range(1, 4):
            if k * gap < len(out):
                out[k * gap:] += rng.uniform(0.2, 0.6) ** k * out[:-k * gap] * (1 if k == 1 else 0.7)
    if not choir and rng.random() < 0.25:  # a double
        late = int(rng.uniform(0.012, 0.035) * RATE)
        out[late:] += rng.uniform(0.4, 0.9) * out[:-late].copy()
    return out


MAKERS = {
    "bass": bass_track,
    "electric guitar": lambda rng, s: guitar_track(rng, s, True),
    "acoustic guitar": lambda rng, s: guitar_track(rng, s, False),
    "synth": lambda rng, s: synth_track(rng, s, False),
    "pad": lambda rng, s: synth_track(rng, s, True),
    "organ": organ_track,
    "fx": fx_track,
    "vocal": voice_track,
    "choir": lambda rng, s: voice_track(rng, s, True),
}
for _label in ("kick", "snare", "clap", "hi-hat", "cymbals", "tom", "drum kit"):
    MAKERS[_label] = (lambda name: lambda rng, s: drum_track(rng, name, s))(_label)


# ---------------------------------------------------------------- rooms and desks

def recorded(x, rng, bleed=None):
    """As a track arrives: a room, a tone, a compressor, bleed and noise; at a random level."""
    x = x / (np.abs(x).max() + 1e-9)
    if rng.random() < 0.6:
        length = rng.uniform(0.15, 1.8)
        t = times(length)
        tail = rng.standard_normal(len(t)) * np.exp(-6.9 * t / length)
        tail = band(tail, high=rng.uniform(3000, 12000), order=1)
        wet = fftconvolve(x, tail)[:len(x)]
        wet *= np.sqrt(np.mean(x ** 2)) / (np.sqrt(np.mean(wet ** 2)) + 1e-9)
        x = x + 10 ** (rng.uniform(-28, -5) / 20) * wet
    for _ in range(int(rng.integers(0, 4))):
        f = 10 ** rng.uniform(1.9, 4.0)
        x = x + (10 ** (rng.uniform(-7, 7) / 20) - 1) * band(x, f * 0.7, min(f * 1.4, 20000), 1)
    if rng.random() < 0.5:
        x = np.tanh(rng.uniform(0.5, 2.5) * x / (np.percentile(np.abs(x), 99.5) + 1e-9))
    loud = np.sqrt(np.mean(x ** 2)) + 1e-9
    if bleed is not None:
        n = min(len(bleed), len(x))
        b = bleed[:n] / (np.sqrt(np.mean(bleed[:n] ** 2)) + 1e-9)
        x[:n] = x[:n] + loud * 10 ** (rng.uniform(-42, -16) / 20) * b
    x = x + loud * 10 ** (rng.uniform(-90, -55) / 20) * rng.standard_normal(len(x))
    return x / (np.abs(x).max() + 1e-9) * rng.uniform(0.1, 0.95)
