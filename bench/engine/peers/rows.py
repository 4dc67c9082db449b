# Put before each peer's program. A line: library, log2 N, log2 Q, operation, runs, processor and wall time in milliseconds, medians.
import statistics, time

def row(library, log_n, log_q, name, work, runs=15):
    work()
    processor, wall = [], []
    for _ in range(runs):
        start = time.thread_time(), time.perf_counter()
        work()
        processor.append((time.thread_time() - start[0]) * 1e3)
        wall.append((time.perf_counter() - start[1]) * 1e3)
    print(library, log_n, log_q, name, runs, statistics.median(processor), statistics.median(wall), sep="\t", flush=True)
