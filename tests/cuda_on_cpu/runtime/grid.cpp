/* grid.cpp - the order of blocks, the helpers of cooperative launches, and the grid's barrier. */
#include "grid.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <thread>
#include <vector>

#include "block.h"
#include "faults.h"
#include "settings.h"

namespace cuda_on_cpu {
namespace {

std::atomic<unsigned long long> finished_kernels{0};

uint3 block_index(const dim3 &grid, unsigned rank) {
    return uint3{rank % grid.x, rank / grid.x % grid.y, rank / (grid.x * grid.y)};
}

/* Threads that carry the blocks of cooperative launches, kept so that their fibers are too. */
class Helpers {
  public:
    void run_on_each(unsigned count, const std::function<void(unsigned)> &work) {
        std::vector<Helper *> team;
        for (unsigned i = 0; i < count; ++i) team.push_back(take());
        for (unsigned i = 0; i < count; ++i) team[i]->start([&work, i] { work(i); });
        for (Helper *helper : team) helper->wait();
        std::lock_guard<std::mutex> lock(mutex_);
        idle_.insert(idle_.end(), team.begin(), team.end());
    }

  private:
    struct Helper {
        std::mutex mutex;
        std::condition_variable changed;
        std::function<void()> job;
        bool busy = false;
        void start(std::function<void()> next) {
            std::lock_guard<std::mutex> lock(mutex);
            job = std::move(next);
            busy = true;
            changed.notify_all();
        }
        void wait() {
            std::unique_lock<std::mutex> lock(mutex);
            changed.wait(lock, [&] { return !busy; });
        }
        void loop() {
            for (std::unique_lock<std::mutex> lock(mutex);;) {
                changed.wait(lock, [&] { return busy; });
                lock.unlock();
                job();
                lock.lock();
                busy = false;
                changed.notify_all();
            }
        }
    };

    Helper *take() {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            if (!idle_.empty()) {
                Helper *helper = idle_.back();
                idle_.pop_back();
                return helper;
            }
        }
        Helper *helper = new Helper(); /* lives as long as the process */
        std::thread([helper] { helper->loop(); }).detach();
        return helper;
    }

    std::mutex mutex_;
    std::vector<Helper *> idle_;
};

Helpers &helpers() {
    static Helpers &only = *new Helpers();
    return only;
}

/* Blocks in the order that CUDA_ON_CPU_ORDER asks for: kernels may not depend on it. */
std::vector<unsigned> block_order(unsigned blocks) {
    std::vector<unsigned> order(blocks);
    std::iota(order.begin(), order.end(), 0u);
    if (settings().order == Order::reverse) std::reverse(order.begin(), order.end());
    if (settings().order == Order::random) {
        static std::atomic<unsigned> launches{0};
        uint64_t state = 0x9e3779b97f4a7c15u * (settings().seed + 1u) + launches++;
        for (unsigned i = blocks; i > 1; --i) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            std::swap(order[i - 1], order[unsigned(state >> 33) % i]);
        }
    }
    return order;
}

bool run_cooperative(const Launch &launch, unsigned blocks) {
    GridBarrier barrier(blocks);
    std::atomic<bool> good{true};
    helpers().run_on_each(blocks, [&](unsigned rank) {
        const bool finished = Crew::of_this_thread().run(launch, block_index(launch.grid, rank), &barrier);
        const std::string trouble = barrier.leave(!finished);
        if (!trouble.empty()) fault("kernel " + launch.name + " is stuck: " + trouble);
        if (!finished || !trouble.empty()) good = false;
    });
    return good;
}

/* Blocks one after another on the calling thread, or dealt out to a few helpers. The thread sanitizer
 * needs the helpers: blocks that follow each other on one thread share its shared memory and so must
 * count as ordered, blocks on different threads do not, and a race between them shows. */
bool run_independent(const Launch &launch, unsigned blocks) {
    const std::vector<unsigned> order = block_order(blocks);
    const unsigned threads = std::min(blocks, settings().threads);
    std::atomic<bool> good{true};
    const auto deal = [&](unsigned first) {
        for (unsigned i = first; i < blocks && good; i += threads)
            if (!Crew::of_this_thread().run(launch, block_index(launch.grid, order[i]), nullptr)) good = false;
    };
    if (threads > 1) helpers().run_on_each(threads, deal);
    else deal(0);
    return good;
}

} // namespace

bool run_grid(const Launch &launch) {
    const unsigned blocks = launch.grid.x * launch.grid.y * launch.grid.z;
    const bool good = launch.cooperative ? run_cooperative(launch, blocks) : run_independent(launch, blocks);
    if (good) ++finished_kernels;
    return good;
}

unsigned long long kernels_run() { return finished_kernels; }

std::string GridBarrier::missing() const {
    return format("%u of %u blocks have left the kernel while %u wait at the grid's barrier %s:%d", left_, blocks_,
                  waiting_, file_, line_);
}

std::string GridBarrier::wait(const char *file, int line) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (broken_) return "-";
    file_ = file;
    line_ = line;
    if (++waiting_ == blocks_) {
        waiting_ = 0;
        ++generation_;
        changed_.notify_all();
        return "";
    }
    if (waiting_ + left_ == blocks_) {
        broken_ = true;
        changed_.notify_all();
        return missing();
    }
    const unsigned mine = generation_;
    changed_.wait(lock, [&] { return broken_ || generation_ != mine; });
    return generation_ != mine ? "" : "-";
}

std::string GridBarrier::leave(bool faulted) {
    std::lock_guard<std::mutex> lock(mutex_);
    ++left_;
    const bool was_broken = broken_;
    const bool stuck = waiting_ > 0 && waiting_ + left_ == blocks_;
    if (faulted || stuck) broken_ = true;
    changed_.notify_all();
    return stuck && !faulted && !was_broken ? missing() : "";
}

} // namespace cuda_on_cpu
