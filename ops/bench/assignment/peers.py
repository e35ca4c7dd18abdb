"""Solve one instance of instance.py with a peer solver and print one line.

usage: python peers.py instance.json {lp|highs|cpsat} [SECONDS]
needs: pip install numpy scipy highspy   (lp, highs)   or   pip install ortools   (cpsat; its own process)
`lp` is the lower bound that every plan is measured against.
"""
import json
import sys
import time


def flat(inst):
    rows = [p["case"] for p in inst["pairs"]]
    cols = [p["reader"] for p in inst["pairs"]]
    return rows, cols, [p["cost"] for p in inst["pairs"]], [p["minutes"] for p in inst["pairs"]]


def highs(inst, integer, seconds):
    import highspy
    import numpy as np
    from scipy.sparse import csc_matrix

    rows, cols, cost, minutes = map(np.array, flat(inst))
    n, nc, nr = len(rows), inst["cases"], inst["readers"]
    widths = [s["width"] for r in inst["load_segments"] for s in r]
    prices = [s["price"] for r in inst["load_segments"] for s in r]
    owner = np.array([q for q, r in enumerate(inst["load_segments"]) for _ in r])
    k, total = len(widths), n + len(widths) + nc
    matrix = csc_matrix(
        (
            np.concatenate([np.ones(n), minutes, -np.ones(k), np.ones(nc)]),
            (
                np.concatenate([rows, nc + cols, nc + owner, np.arange(nc)]),
                np.concatenate([np.arange(n), np.arange(n), n + np.arange(k), n + k + np.arange(nc)]),
            ),
        ),
        shape=(nc + nr, total),
    )
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = total, nc + nr
    lp.col_cost_ = np.concatenate([cost, prices, inst["drop"]])
    lp.col_lower_, lp.col_upper_ = np.zeros(total), np.concatenate([np.ones(n), widths, np.ones(nc)])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    lp.row_lower_ = np.concatenate([np.ones(nc), np.full(nr, -1e30)])
    lp.row_upper_ = np.concatenate([np.ones(nc), np.zeros(nr)])
    if integer:
        kind = highspy.HighsVarType
        lp.integrality_ = [kind.kInteger] * n + [kind.kContinuous] * k + [kind.kInteger] * nc
    solver = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 2), ("time_limit", seconds), ("mip_rel_gap", 5e-3)):
        solver.setOptionValue(name, value)
    start = time.time()
    solver.passModel(lp)
    solver.run()
    print(f"{'HiGHS MIP' if integer else 'LP bound'} {nc}x{nr} {time.time() - start:.2f} s objective {solver.getInfo().objective_function_value:.2f}")


def cpsat(inst, seconds):
    from ortools.sat.python import cp_model

    rows, cols, cost, minutes = flat(inst)
    n, nc, nr, z = len(rows), inst["cases"], inst["readers"], 100
    m = cp_model.CpModel()
    x, u = [m.new_bool_var("") for _ in range(n)], [m.new_bool_var("") for _ in range(nc)]
    of_case, of_reader = [[] for _ in range(nc)], [[] for _ in range(nr)]
    for j in range(n):
        of_case[rows[j]].append(x[j])
        of_reader[cols[j]].append(j)
    for c in range(nc):
        m.add_exactly_one(of_case[c] + [u[c]])
    terms = [int(round(cost[j] * z * z)) * x[j] for j in range(n)] + [int(inst["drop"][c] * z * z) * u[c] for c in range(nc)]
    for r, segments in enumerate(inst["load_segments"]):
        load = [m.new_int_var(0, int(s["width"] * z), "") for s in segments]
        m.add(sum(int(round(minutes[j] * z)) * x[j] for j in of_reader[r]) <= sum(load))
        terms += [int(s["price"] * z) * v for s, v in zip(segments, load)]
    m.minimize(sum(terms))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds, solver.parameters.num_workers = seconds, 2
    solver.parameters.relative_gap_limit = 5e-3
    status = solver.solve(m)
    print(f"CP-SAT {nc}x{nr} {solver.wall_time:.2f} s objective {solver.objective_value / z / z:.2f} bound {solver.best_objective_bound / z / z:.2f} {solver.status_name(status)}")


if __name__ == "__main__":
    problem, which = json.load(open(sys.argv[1])), sys.argv[2]
    limit = float(sys.argv[3]) if len(sys.argv) > 3 else 60.0
    cpsat(problem, limit) if which == "cpsat" else highs(problem, which == "highs", limit)
