#!/usr/bin/env python3
"""The floor: decodes every WAV of a folder with libsndfile, sums them with numpy, writes a 24-bit print.

    decode_and_sum.py FOLDER OUT.wav

No EQ, no compressor, no limiter: whoever mixes cannot do less than this. Mono goes to both channels.
Needs numpy and soundfile.
"""
import sys
from pathlib import Path

import numpy
import soundfile

BLOCK = 1 << 16


def main() -> None:
    folder, out = Path(sys.argv[1]), sys.argv[2]
    files = [soundfile.SoundFile(path) for path in sorted(folder.glob("*.wav"))]
    length = max(len(file) for file in files)
    with soundfile.SoundFile(out, "w", files[0].samplerate, 2, "PCM_24") as print_file:
        for _ in range(0, length, BLOCK):
            mix = numpy.zeros((BLOCK, 2), numpy.float32)
            longest = 0
            for file in files:
                block = file.read(BLOCK, dtype="float32", always_2d=True)
                mix[: len(block)] += block
                longest = max(longest, len(block))
            print_file.write(mix[:longest] * 0.1)


main()
