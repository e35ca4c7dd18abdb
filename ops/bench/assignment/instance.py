"""Synthetic reader-assignment instances, one JSON object each, for comparing solvers.

usage: python instance.py CASES READERS CANDIDATES SEED > instance.json

The model behind an instance (minimise):
  sum_j cost[j] * x[j]                     a case read by a less skilled reader, times urgency
+ sum_r sum_k price[k] * load[r][k]        piecewise-linear, rising price of a reader's minutes
+ sum_c drop[c] * unassigned[c]            a case left unassigned
subject to
  sum_{j of case c} x[j] + unassigned[c] = 1          for every case c
  sum_{j of reader r} minutes[j] * x[j] <= sum_k load[r][k],  0 <= load[r][k] <= width[r][k]
  x binary
Units: minutes are minutes, costs are points. `pairs` lists only eligible (case, reader) pairs.
"""
import json
import sys

import numpy as np

SEGMENTS = [(0.6, 0.0), (0.2, 0.05), (0.2, 0.2), (0.3, 1.0)]  # (share of capacity, price per minute)


def instance(n_cases, n_readers, n_candidates, seed=0, load=0.85):
    r = np.random.default_rng(seed)
    modality = r.choice(6, n_cases, p=[0.30, 0.16, 0.34, 0.05, 0.02, 0.13])  # CT MR CR MG NM US
    region = r.choice(12, n_cases, p=r.dirichlet(np.ones(12) * 2))
    skill = np.zeros((n_readers, 12, 6))
    for q in range(n_readers):
        main = r.choice(12, r.integers(2, 5), replace=False)
        has_modality = r.random(6) < 0.75
        table = r.choice([0, 10, 20, 50], size=(12, 6), p=[0.45, 0.2, 0.2, 0.15]).astype(float)
        table[main] = r.choice([50, 80, 100], size=(len(main), 6), p=[0.2, 0.5, 0.3])
        table[:, ~has_modality] = 0
        skill[q] = table
    typical = np.array([12, 15, 3, 4, 18, 6.0])[modality]
    typical = typical * np.array([0.9, 1, 1, 1, 1.6, 1.2, 1.1, 0.8, 0.8, 0.8, 1.3, 1.8])[region]
    minutes = typical * r.lognormal(0, 0.3, n_cases)
    speed = r.lognormal(0, 0.2, n_readers)
    urgency = r.choice(4, n_cases, p=[0.72, 0.18, 0.08, 0.02])
    capacity = r.uniform(0.5, 1.5, n_readers)
    capacity = capacity / capacity.sum() * minutes.sum() / load
    s = skill[:, region, modality].T
    best = np.argsort(-(s + r.random(s.shape)), axis=1)[:, :n_candidates]
    rows, cols = np.repeat(np.arange(n_cases), n_candidates), best.ravel()
    eligible = s[rows, cols] > 0
    rows, cols = rows[eligible], cols[eligible]
    weight = np.array([1, 1.5, 3, 6.0])[urgency]
    return {
        "cases": n_cases,
        "readers": n_readers,
        "pairs": [
            {"case": int(c), "reader": int(q), "cost": round(float(k), 6), "minutes": round(float(m), 6)}
            for c, q, k, m in zip(rows, cols, weight[rows] * (100 - s[rows, cols]) / 10, minutes[rows] / speed[cols])
        ],
        "load_segments": [
            [{"width": round(float(capacity[q] * f), 6), "price": p} for f, p in SEGMENTS] for q in range(n_readers)
        ],
        "drop": [float(v) for v in np.array([60, 90, 200, 500.0])[urgency]],
    }


if __name__ == "__main__":
    n_cases, n_readers, n_candidates, seed = map(int, sys.argv[1:5])
    json.dump(instance(n_cases, n_readers, n_candidates, seed), sys.stdout)
