"""What tests of commands share."""

import numpy as np
import pytest

from sightline.launch.studies.proxies import Proxies, ProxyScores

PEAK = {"masked": 0.3, "permuted": 0.2, "causal": 0.5}


@pytest.fixture
def proxies_by_rule(monkeypatch):
    """Proxies that are not trained, but score by a rule with an optimum at `PEAK`.

    Returns:
      `noise -> runs`: from then on each proxy is noted as (mixture, seed).
    """

    def score(rates, rng, noise):
        distance = sum((rates.get(c, 0.0) - share) ** 2 for c, share in PEAK.items())
        own = 2 + 0.05 * np.exp(-rates.get("masked", 0.0))
        errors = noise * rng.normal(size=4)
        probes = {
            "drift": 0.8 - distance + errors[0],
            "continuation": 0.7 - distance + errors[1],
            "reconstruction": 0.2 + distance + errors[2],
        }
        return own + 0.01 * errors[3], probes

    def use(noise):
        trained = []

        def train(self, runs):
            scores = []
            for mixture, seed in runs:
                trained.append((mixture.name, seed))
                rng = np.random.default_rng([seed, *mixture.name.encode()])
                own, probes = score(mixture.rates, rng, noise)
                probes = {failure: probes[failure] for failure in self.failures}
                losses = dict.fromkeys(self.components, 1.0)
                scores.append(ProxyScores(100, losses, own, probes))
            return scores

        monkeypatch.setattr(Proxies, "train", train)
        monkeypatch.setattr(Proxies, "steps", 10)
        return trained

    return use
