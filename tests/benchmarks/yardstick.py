"""What a machine is worth: pydantic validating a parsed lead with 200 activities, as FastAPI does.

It took 176 µs on the machine on which goals were set in microseconds, so a goal of 100 µs is .57 of
it here and everywhere. Time both in turns: the speed of a shared machine wanders within minutes.
"""

import json
import time
from collections.abc import Callable

from peers import Lead, make_lead

_LEAD = json.loads(json.dumps(make_lead(200)))
_TIMES = 30


def time_once(work: Callable[[], object], times: int = 1) -> float:
    """Return the seconds of CPU that one call takes, over so many of them."""
    begin = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begin) / times


def time_yardstick() -> float:
    """Return the seconds of CPU of one validation."""
    return time_once(lambda: Lead.model_validate(_LEAD), _TIMES)
