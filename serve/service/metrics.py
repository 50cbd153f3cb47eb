"""What is counted for Prometheus, over all worker processes."""

import os
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_LOG_ODDS = (1e-9, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)


class Metrics:
    """The counters of one worker; with ``PROMETHEUS_MULTIPROC_DIR`` set, those of all add up."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self._registry = own
        if os.environ.get(FOLDER):
            self._registry = CollectorRegistry()
            MultiProcessCollector(self._registry, os.environ[FOLDER])  # type: ignore[no-untyped-call]

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"leadscore_{name}", text, labels, registry=own)

        def gauge(name: str, text: str, mode: Literal["livemostrecent", "sum"]) -> Gauge:
            return Gauge(f"leadscore_{name}", text, registry=own, multiprocess_mode=mode)

        self._requests = counter("requests", "Requests answered.", "route", "status")
        self._seconds = Histogram(
            "leadscore_request_seconds", "From the first byte read to the answer.", ("route",),
            buckets=_SECONDS, registry=own,
        )  # fmt: skip
        self._leads = counter("leads_scored", "Leads scored.", "model", "version", "band")
        self.swaps = counter("model_swaps", "Champions taken up.")
        self.not_served = counter(
            "versions_not_served", "Versions or indexes that could not be used."
        )
        self.key_failures = counter("key_failures", "Requests without a good key.", "reason")
        self._shadow = counter("shadow_leads", "Leads scored by the challenger too.", "same_band")
        self.shadow_errors = counter("shadow_errors", "Leads the challenger could not score.")
        self._shadow_gap = Histogram(
            "leadscore_shadow_log_odds_gap", "Challenger from champion, in log-odds.",
            buckets=_LOG_ODDS, registry=own,
        )  # fmt: skip
        latest: Final = "livemostrecent"
        self._staleness = gauge(
            "model_staleness_seconds", "Since the registry last answered.", latest
        )
        self._degraded = gauge(
            "degraded", "1 while the registry, a version or the log gives trouble.", latest
        )
        self._refused = gauge(
            "versions_refused", "Registered versions that may not be served.", latest
        )
        self._lost = gauge(
            "log_entries_lost", "Scores that could not be kept in the score log.", "sum"
        )
        self._children: dict[object, object] = {}

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        key = (route, status)
        found = self._children.get(key)
        if found is None:
            found = (self._requests.labels(route, str(status)), self._seconds.labels(route))
            self._children[key] = found
        found[0].inc()  # type: ignore[index]
        found[1].observe(seconds)  # type: ignore[index]

    def count_lead(self, model: str, version: int, band: str) -> None:
        """Count one lead scored."""
        key = (model, version, band)
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = self._leads.labels(model, str(version), band)
        found.inc()  # type: ignore[attr-defined]

    def count_shadow(self, same_band: bool, gap_log_odds: float) -> None:
        """Count a lead that the challenger scored too."""
        self._shadow.labels("yes" if same_band else "no").inc()
        self._shadow_gap.observe(gap_log_odds)

    def render(self, staleness_s: float | None, degraded: bool, refused: int, lost: int) -> bytes:
        """Return all of it in Prometheus's text format."""
        self._staleness.set(float("nan") if staleness_s is None else staleness_s)
        self._degraded.set(float(degraded))
        self._refused.set(refused)
        self._lost.set(lost)
        return generate_latest(self._registry)
