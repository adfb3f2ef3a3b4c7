/* control.h - the stand-in's own, for real_gpu.cpp and the tests; its other headers would hide CUDA's. */
#include "../../../cuda_on_cpu/include/cuda_on_cpu/control.h"
