"""What ``contract="record"`` costs: a recorded call, beside one that is not and openapi-core.

    python bench/contract.py unix:///path/of.sock CONTAINER [--version 1.42]

The container is inspected. openapi-core looks at the same request and reply by itself, with its own
two ``iter_errors``, set up as its guide says (the document unchecked). The three take turns, so
that all of them meet the same machine; the times are medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time

from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from dynadock import load
from dynadock.spec.loader import load_spec
from dynadock.spec.openapi import convert

ROUNDS = 300
MOST = 1.15


def main():
    """Measure, and say whether recording costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host")
    parser.add_argument("container")
    parser.add_argument("--version", default="1.41")
    options = parser.parse_args()
    client = load(options.version, host=options.host)
    container = client.ContainerInspect(options.container).Id
    both = measured(client, container)
    alone, of_openapi_core, recorded = (statistics.median(each) * 1000 for each in both)
    factor = recorded / (alone + of_openapi_core)
    print(f"the call                    {alone:6.3f} ms")
    print(f"openapi-core's iter_errors  {of_openapi_core:6.3f} ms")
    print(
        f"the call, recorded          {recorded:6.3f} ms, {factor:.2f} x the sum (at most {MOST})"
    )
    return factor > MOST


def measured(client, container):
    """Return the times of the call, of openapi-core, and of the recorded call."""
    recording = client.with_options(contract="record")
    look = openapi_core(client, container)
    acts = (
        lambda: client.ContainerInspect(container),
        look,
        lambda: recording.ContainerInspect(container),
    )
    times = [[] for _ in acts]
    for act in acts:
        act()
    for _ in range(ROUNDS):
        for act, taken in zip(acts, times, strict=True):
            begun = time.perf_counter()
            act()
            taken.append(time.perf_counter() - begun)
    return times


def openapi_core(client, container):
    """Return what looks at the exchange as openapi-core itself does."""
    document = convert(load_spec(client.version))
    tool = OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))
    reply = client.ContainerInspect.raw(container).content
    path = client.ContainerInspect.prepare(container).target
    request = MockRequest("http://localhost", "get", path)
    response = MockResponse(reply, 200, content_type="application/json")
    assert json.loads(reply)["Id"] == container

    def look():
        return [
            *tool.request_validator.iter_errors(request),
            *tool.response_validator.iter_errors(request, response),
        ]

    return look


if __name__ == "__main__":
    sys.exit(main())
