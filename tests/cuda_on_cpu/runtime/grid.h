/* grid.h - running a whole launch: all blocks one after another (or dealt out to a few threads, by
 * CUDA_ON_CPU_THREADS), or, for a cooperative launch, all at once, each on an operating-system
 * thread of its own, with a barrier between them.
 */
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "cuda_on_cpu/launch.h"

namespace cuda_on_cpu {

struct Launch {
    const signature *kernel_signature = nullptr;
    const void *kernel = nullptr;
    std::shared_ptr<void> arguments;
    std::string name;
    dim3 grid, block;
    size_t shared_bytes = 0;
    bool cooperative = false;
};

/* Where the blocks of a cooperative launch meet. Broken once a block faults or leaves early. */
class GridBarrier {
  public:
    explicit GridBarrier(unsigned blocks) : blocks_(blocks) {}
    /* Called by one fiber for its whole block. Empty when all came; otherwise why they never will
   * ("" is success, "-" says another block has reported the fault already). */
    std::string wait(const char *file, int line);
    /* A block has ended; faulted says that the others cannot be waited for. */
    std::string leave(bool faulted);

  private:
    std::string missing() const;
    std::mutex mutex_;
    std::condition_variable changed_;
    const unsigned blocks_;
    unsigned waiting_ = 0, left_ = 0, generation_ = 0;
    bool broken_ = false;
    const char *file_ = "";
    int line_ = 0;
};

/* Runs the launch on the calling thread (and helpers). False after a fault, already reported. */
bool run_grid(const Launch &launch);

/* Kernels that ran to their end. */
unsigned long long kernels_run();
void forget_loaded_kernels(); /* launch.cpp */

} // namespace cuda_on_cpu
