"""usage: summary.py NAME SCORE BASELINE SECONDS BEFORE AFTER

Prints the line that run_all.sh makes its table of: the score beside the baseline (less is better), and what the server did in
the SECONDS between two pages of /metrics: steps a second, and the bound in milliseconds that 99 % of the requests kept.
"""

import re
import sys


def read(page):
    """(steps, {bound of a bucket: requests})"""
    steps, buckets = 0.0, {}
    for line in open(page):
        found = re.match(r"(rondo_steps_total|rondo_request_duration_seconds_bucket)\{(.*)\} (\S+)", line)
        if not found:
            continue
        name, labels, value = found.groups()
        if name == "rondo_steps_total":
            steps += float(value)
        else:
            bound = float(re.search(r'le="([^"]*)"', labels).group(1))
            buckets[bound] = buckets.get(bound, 0.0) + float(value)
    return steps, buckets


def main():
    name, score, baseline, seconds = sys.argv[1], *map(float, sys.argv[2:5])
    (steps, buckets), (steps_after, buckets_after) = read(sys.argv[5]), read(sys.argv[6])
    requests = {bound: count - buckets.get(bound, 0.0) for bound, count in sorted(buckets_after.items())}
    p99 = next((bound for bound, count in requests.items() if count >= 0.99 * max(requests.values())), 0.0)
    better = "yes" if score < baseline else "no"
    print(f"RESULT|{name}|{score:.3g}|{baseline:.3g}|{better}|{(steps_after - steps) / seconds:.0f}|{round(1000 * p99, 2):g}")


if __name__ == "__main__":
    main()
