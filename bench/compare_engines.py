"""Compare the embedded engine with a real one by random sequences of calls, and tell what differs.

DOCKER_HOST=… python bench/compare_engines.py --sequences 200 --seed 1
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from itertools import takewhile
from pathlib import Path
from pprint import pformat

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from dynadock import load
from likeness.machine import Likeness


def main() -> int:
    """Print each difference once, with how often it came; return 1 if there was any."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sequences", type=int, default=200)
    options.add_argument("--steps", type=int, default=20)
    options.add_argument("--seed", type=int, default=random.randrange(2**32))
    chosen = options.parse_args()
    found: list = []
    with load() as client, load(client.version, host="embedded://like") as simulated:

        @seed(chosen.seed)
        class Both(Likeness):
            real = client.with_options(timeout=20)
            embedded = simulated.with_options(timeout=20)

        Both.found = found
        run_state_machine_as_test(
            Both,
            settings=settings(
                max_examples=chosen.sequences,
                stateful_step_count=chosen.steps,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    counted = Counter((what, *difference(real, ours)) for what, real, ours in found)
    for (what, real, ours), count in counted.most_common():
        print(f"{count} x {what}\n  real:     {real}\n  embedded: {ours}")
    print(f"seed {chosen.seed}: {len(counted)} kinds of differences, {chosen.sequences} sequences")
    return 1 if counted else 0


def difference(real, ours):
    """Return the parts of two outcomes that differ, as text."""
    parts = [*_parts("", real, ours)]
    return tuple(
        "; ".join(f"{path}={pformat(pair[side])}" for path, *pair in parts) for side in (0, 1)
    )


def _parts(path, real, ours):
    if isinstance(real, dict) and isinstance(ours, dict):
        missing = "(not there)"
        for key in sorted({*real, *ours}):
            yield from _parts(f"{path}.{key}", real.get(key, missing), ours.get(key, missing))
    elif _are_lists(real, ours) and len(real) == len(ours):
        for place, pair in enumerate(zip(real, ours, strict=True)):
            yield from _parts(f"{path}[{place}]", *pair)
    elif _are_lists(real, ours):
        same = sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(real, ours, strict=False))
        )
        yield f"{path}[{same}:]", real[same:], ours[same:]
    elif real != ours:
        yield path, real, ours


def _are_lists(*values):
    return all(isinstance(each, (list, tuple)) for each in values)


if __name__ == "__main__":
    sys.exit(main())
