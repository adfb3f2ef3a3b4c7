/* block.cpp - scheduling the fibers of one block, and its barrier. warp.cpp has the warp operations. */
#include "block.h"

#include <pthread.h>

#include <cstring>

#include "faults.h"
#include "sanitizers.h"
#include "settings.h"

__thread uint3 threadIdx;
__thread uint3 blockIdx;
__thread dim3 blockDim;
__thread dim3 gridDim;

namespace cuda_on_cpu {

Crew &Crew::of_this_thread() {
    static thread_local Crew crew;
    return crew;
}

Crew::~Crew() {
    for (unsigned i = 0; i < capacity_; ++i) fiber_unmap_stack(threads_[i].fiber);
    delete[] threads_;
    delete[] warps_;
    delete[] ready_;
}

void Crew::reserve(unsigned threads) {
    if (!home_.stack) fiber_adopt_thread(home_);
    if (threads <= capacity_) return;
    Thread *more = new Thread[threads];
    for (unsigned i = 0; i < threads; ++i) {
        if (i < capacity_) more[i].fiber = threads_[i].fiber; /* starts afresh: its stack knows the old array */
        else fiber_map_stack(more[i].fiber);
        more[i].rank = i;
    }
    delete[] threads_;
    delete[] warps_;
    delete[] ready_;
    threads_ = more;
    warps_ = new Warp[(threads + 31) / 32];
    ready_ = new unsigned[threads];
    capacity_ = threads;
}

void Crew::set_up(const Launch &launch, uint3 block) {
    size_ = launch.block.x * launch.block.y * launch.block.z;
    reserve(size_);
    launch_ = &launch;
    head_ = queued_ = done_ = waiting_ = 0;
    faulted_ = false;
    if (random_ == 0) random_ = 0x9e3779b97f4a7c15u * (settings().seed + 1u);
    for (unsigned i = 0; i < (size_ + 31) / 32; ++i) {
        const unsigned lanes = size_ - 32 * i;
        warps_[i].alive = lanes >= 32 ? 0xffffffffu : (1u << lanes) - 1u;
        warps_[i].waiting = 0;
    }
    for (unsigned i = 0; i < size_; ++i) {
        Thread &thread = threads_[i];
        thread.index.x = i % launch.block.x;
        thread.index.y = i / launch.block.x % launch.block.y;
        thread.index.z = i / (launch.block.x * launch.block.y);
        thread.doing = Doing::ready;
        if (thread.fresh) fiber_prepare(thread.fiber, fiber_main);
        thread.fresh = false;
    }
    make_all_ready();
    blockIdx = block;
    blockDim = launch.block;
    gridDim = launch.grid;
    fill_dynamic_shared(launch.shared_bytes);
}

bool Crew::run(const Launch &launch, uint3 block, GridBarrier *grid) {
    grid_ = grid;
    set_up(launch, block);
    Thread *first = next_ready();
    running_ = first;
    release(&begun_);
    fiber_switch(home_, first->fiber);
    running_ = nullptr;
    acquire(&finished_);
    release_dynamic_shared();
    for (unsigned i = 0; i < size_ && faulted_; ++i) threads_[i].fresh = true; /* stopped inside the kernel */
    return !faulted_;
}

/* The loop of every fiber: one round a block. The switch inside finish() returns for the next. */
void Crew::fiber_main() {
    fiber_entered();
    for (;;) {
        Crew &crew = of_this_thread();
        Thread &self = *crew.running_;
        crew.resumed(self);
        acquire(&crew.begun_);
        crew.launch_->kernel_signature->call(crew.launch_->kernel, crew.launch_->arguments.get());
        crew.finish(self);
    }
}

void Crew::resumed(Thread &self) {
    running_ = &self;
    threadIdx = self.index;
}

void Crew::finish(Thread &self) {
    release(&finished_);
    self.doing = Doing::done;
    Warp &warp = warps_[self.rank / 32];
    warp.alive &= ~(1u << self.rank % 32);
    /* Lanes may have waited for this one only: those still here must meet without it. */
    for (unsigned lane = 0; lane < 32 && warp.waiting; ++lane) {
        if (!(warp.waiting >> lane & 1)) continue;
        Thread &other = threads_[self.rank / 32 * 32 + lane];
        if ((other.mask >> self.rank % 32 & 1) && warp_complete(warp, other)) finish_warp(self.rank / 32, other);
    }
    if (++done_ == size_) {
        fiber_switch(self.fiber, home_);
        return;
    }
    Thread *next = next_ready();
    if (!next) {
        trouble_ = deadlock();
        give_up();
    }
    running_ = next;
    fiber_switch(self.fiber, next->fiber);
}

void Crew::switch_away(Thread &self) {
    release(&finished_); /* should the block be abandoned, this fiber has come to its end here */
    Thread *next = next_ready();
    if (!next) {
        trouble_ = deadlock();
        give_up();
    }
    if (next != &self) {
        running_ = next;
        fiber_switch(self.fiber, next->fiber);
    }
    resumed(self);
}

Thread *Crew::next_ready() {
    if (queued_ == 0) return nullptr;
    if (settings().order == Order::random) {
        random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17;
        const unsigned pick = (head_ + unsigned(random_ >> 33) % queued_) % size_;
        const unsigned swapped = ready_[pick];
        ready_[pick] = ready_[head_];
        ready_[head_] = swapped;
    }
    Thread *next = &threads_[ready_[head_]];
    head_ = (head_ + 1) % size_;
    --queued_;
    return next;
}

void Crew::make_all_ready() {
    const bool reverse = settings().order == Order::reverse;
    for (unsigned i = 0; i < size_; ++i) {
        Thread &thread = threads_[reverse ? size_ - 1 - i : i];
        thread.doing = Doing::ready;
        make_ready(thread);
    }
}

int Crew::wait_at_barrier(barrier_kind kind, int predicate, const char *file, int line) {
    Thread &self = *running_;
    self.barrier = kind;
    self.file = file;
    self.line = line;
    if (kind == barrier_kind::grid && !grid_) {
        trouble_ =
            who(self) + format(" synchronises the grid at %s:%d, but the launch is not cooperative", file, line);
        give_up();
    }
    if (waiting_ == 0) {
        first_waiter_ = &self;
        votes_ = 0;
    }
    const Thread &first = *first_waiter_;
    if (first.barrier != kind || first.line != line || std::strcmp(first.file, file) != 0) {
        trouble_ = where(self) + " while " + where(first) + ": divergent barriers";
        give_up();
    }
    votes_ += predicate != 0;
    self.doing = Doing::at_barrier;
    release(&barrier_arrived_);
    if (++waiting_ == size_) { /* the last one: nobody passes before it has looked at everything */
        acquire(&barrier_arrived_);
        if (kind == barrier_kind::grid) {
            trouble_ = grid_->wait(file, line);
            if (trouble_ == "-") abandon();
            if (!trouble_.empty()) give_up();
        }
        outcome_ = kind == barrier_kind::all   ? votes_ == int(size_)
                   : kind == barrier_kind::any ? votes_ != 0
                                               : votes_;
        waiting_ = 0;
        release(&barrier_woken_);
        make_all_ready();
    }
    switch_away(self);
    acquire(&barrier_woken_);
    return outcome_;
}

std::string Crew::who(const Thread &thread) const {
    return format("kernel %s block (%u,%u,%u) thread (%u,%u,%u)", launch_->name.c_str(), blockIdx.x, blockIdx.y,
                  blockIdx.z, thread.index.x, thread.index.y, thread.index.z);
}

/* "kernel ... thread ... is at __syncthreads file:line" */
std::string Crew::where(const Thread &thread) const {
    if (thread.doing == Doing::at_warp)
        return who(thread) + format(" calls %s with mask 0x%08x at %s:%d", operation_name(thread.operation),
                                    thread.mask, thread.file, thread.line);
    return who(thread) + format(" is at %s %s:%d", barrier_name(thread.barrier), thread.file, thread.line);
}

/* One clause for each place where threads wait: how many, the first of them, and where. */
std::string Crew::deadlock() const {
    std::string text =
        format("kernel %s block (%u,%u,%u) is stuck:", launch_->name.c_str(), blockIdx.x, blockIdx.y, blockIdx.z);
    if (done_) text += format(" %u of %u threads have left the kernel;", done_, size_);
    for (unsigned i = 0; i < size_; ++i) {
        const Thread &first = threads_[i];
        const auto alike = [&](const Thread &other) {
            return other.doing == first.doing && other.line == first.line && !std::strcmp(other.file, first.file) &&
                   (first.doing != Doing::at_warp || other.mask == first.mask);
        };
        bool seen = first.doing != Doing::at_barrier && first.doing != Doing::at_warp;
        for (unsigned before = 0; before < i && !seen; ++before) seen = alike(threads_[before]);
        if (seen) continue;
        unsigned count = 0;
        for (unsigned other = i; other < size_; ++other) count += alike(threads_[other]);
        text += format(" %u thread%s from (%u,%u,%u) on wait%s at ", count, count == 1 ? "" : "s", first.index.x,
                       first.index.y, first.index.z, count == 1 ? "s" : "");
        text += first.doing == Doing::at_barrier
                    ? format("%s %s:%d;", barrier_name(first.barrier), first.file, first.line)
                    : format("%s with mask 0x%08x %s:%d;", operation_name(first.operation), first.mask, first.file,
                             first.line);
    }
    return text + " divergent barrier or deadlock";
}

void Crew::give_up() {
    fault(trouble_);
    abandon();
}

void Crew::trap(const char *file, int line) {
    trouble_ = who(*running_) + format(" reaches __trap at %s:%d", file, line);
    give_up();
}

/* Leaves the block as it stands: nobody resumes the other fibers, their stacks are started afresh. */
void Crew::abandon() {
    faulted_ = true;
    release(&finished_);
    fiber_switch(running_->fiber, home_);
    __builtin_unreachable();
}

const char *barrier_name(barrier_kind kind) {
    switch (kind) {
    case barrier_kind::count: return "__syncthreads_count";
    case barrier_kind::all: return "__syncthreads_and";
    case barrier_kind::any: return "__syncthreads_or";
    case barrier_kind::grid: return "the grid's barrier";
    default: return "__syncthreads";
    }
}

int wait_at_barrier(barrier_kind kind, int predicate, const char *file, int line) {
    return Crew::of_this_thread().wait_at_barrier(kind, predicate, file, line);
}

void trap(const char *file, int line) { Crew::of_this_thread().trap(file, line); }

/* Under the thread sanitizer a fence orders through one shared word, since it does not follow
 * stand-alone fences; that is what release and acquire fences around relaxed atomics mean. */
void thread_fence() {
#ifdef CUDA_ON_CPU_TSAN
    static char fence;
    acquire(&fence);
    release(&fence);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

} // namespace cuda_on_cpu
