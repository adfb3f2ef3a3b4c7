/* block.h - a crew: the fibers of one operating-system thread, which run one block at a time.
 *
 * A fiber that must wait hands over to the next one that can run, without passing through a central
 * loop. When nobody can run and somebody waits, that is a deadlock, and the crew knows who waits
 * where. Fibers are kept from block to block: each loops, one round a block.
 *
 * Everything here is plain arrays rather than containers, because this part is built without the
 * thread sanitizer while kernels are built with it, and templates would be shared between the two.
 */
#pragma once

#include <cstdint>
#include <string>

#include "cuda_on_cpu/barriers.h"
#include "cuda_on_cpu/warp.h"
#include "fiber.h"
#include "grid.h"

namespace cuda_on_cpu {

enum class Doing : unsigned char { ready, at_barrier, at_warp, done };

/* One CUDA thread. */
struct Thread {
    Fiber fiber;
    uint3 index{};
    unsigned rank = 0;
    Doing doing = Doing::ready;
    bool fresh = true; /* the fiber must be prepared before it can run */
    /* where it waits */
    const char *file = "";
    int line = 0;
    barrier_kind barrier = barrier_kind::plain;
    warp_op operation = warp_op::sync;
    /* what it left for its warp, and what it gets back */
    unsigned mask = 0, argument = 0;
    int width = 32;
    uint64_t value = 0, result = 0;
    char arrived = 0, woken = 0; /* addresses for the thread sanitizer's release and acquire */
};

/* Which lanes of a warp are still in the kernel, and which wait at a warp operation. */
struct Warp {
    unsigned alive = 0, waiting = 0;
};

class Crew {
  public:
    static Crew &of_this_thread();
    ~Crew();

    /* Runs one block to its end. False after a fault. */
    bool run(const Launch &launch, uint3 block, GridBarrier *grid);

    int wait_at_barrier(barrier_kind kind, int predicate, const char *file, int line);
    uint64_t meet_warp(warp_op op, unsigned mask, uint64_t value, unsigned argument, int width, const char *file,
                       int line);
    /* Reports the fault that trouble_ describes and ends the block. Nothing on the running fiber's
   * stack is destroyed, so whoever calls this must hold no temporaries: hence no argument. */
    [[noreturn]] void give_up();
    [[noreturn]] void trap(const char *file, int line);

    bool inside_kernel() const { return running_ != nullptr; }

  private:
    static void fiber_main();
    void reserve(unsigned threads);
    void set_up(const Launch &launch, uint3 block);
    void resumed(Thread &self);
    void finish(Thread &self);
    void switch_away(Thread &self);
    Thread *next_ready();
    void make_ready(Thread &thread) { ready_[(head_ + queued_++) % size_] = thread.rank; }
    void make_all_ready();
    bool warp_complete(const Warp &warp, const Thread &lane) const;
    void finish_warp(unsigned warp, Thread &lane);
    void compute_warp(Thread *lanes, unsigned members, warp_op op);
    std::string who(const Thread &thread) const;
    std::string where(const Thread &thread) const;
    std::string deadlock() const;
    [[noreturn]] void abandon();

    Fiber home_;
    Thread *threads_ = nullptr;
    Warp *warps_ = nullptr;
    unsigned *ready_ = nullptr; /* ring of thread ranks */
    unsigned capacity_ = 0, size_ = 0, head_ = 0, queued_ = 0, done_ = 0;
    Thread *running_ = nullptr;
    const Launch *launch_ = nullptr;
    GridBarrier *grid_ = nullptr;
    bool faulted_ = false;
    std::string trouble_;
    uint64_t random_ = 0;
    /* the block's barrier */
    unsigned waiting_ = 0;
    int votes_ = 0, outcome_ = 0;
    Thread *first_waiter_ = nullptr;
    char barrier_arrived_ = 0, barrier_woken_ = 0, begun_ = 0, finished_ = 0;
};

/* dynamic_shared.cpp: gives a block its buffer, filled with 0xff; takes it back. */
void fill_dynamic_shared(size_t bytes);
void release_dynamic_shared();

const char *operation_name(warp_op op);
const char *barrier_name(barrier_kind kind);

} // namespace cuda_on_cpu
