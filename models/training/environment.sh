# Sourced before training on a CPU: keeps freed tensors mapped (page faults otherwise dominate) and one thread per run.
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=1073741824
export OMP_NUM_THREADS=1
