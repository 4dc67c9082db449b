# Put before each peer's program, which sets LIBRARY and PARAMETERS.
import statistics, time

def row(name, work, runs=15):
    work()
    times = []
    for _ in range(runs):
        start = time.thread_time()
        work()
        times.append((time.thread_time() - start) * 1e3)
    print(f"| {LIBRARY} | {name} | {PARAMETERS} | {statistics.median(times):.2f} |")
