/* warp.cpp - how the lanes of a warp meet, and what each operation gives them. */
#include <algorithm>

#include "block.h"
#include "faults.h"
#include "sanitizers.h"
#include "settings.h"

namespace cuda_on_cpu {

uint64_t Crew::meet_warp(warp_op op, unsigned mask, uint64_t value, unsigned argument, int width, const char *file,
                         int line) {
    Thread &self = *running_;
    const unsigned lane = self.rank % 32;
    Warp &warp = warps_[self.rank / 32];
    self.operation = op;
    self.mask = mask;
    self.value = value;
    self.argument = argument;
    self.width = width;
    self.file = file;
    self.line = line;
    self.doing = Doing::at_warp;
    if (!(mask >> lane & 1)) {
        trouble_ = where(self) + format(", which lacks its own lane %u", lane);
        give_up();
    }
    if (width < 1 || width > 32 || (width & (width - 1))) {
        trouble_ = where(self) + format(", and width %d", width);
        give_up();
    }
    warp.waiting |= 1u << lane;
    release(&self.arrived);
    if (warp_complete(warp, self)) finish_warp(self.rank / 32, self);
    switch_away(self);
    acquire(&self.woken);
    return self.result;
}

/* Lanes that have left the kernel, or never existed, are not waited for. */
bool Crew::warp_complete(const Warp &warp, const Thread &lane) const {
    const unsigned needed = lane.mask & warp.alive;
    return (warp.waiting & needed) == needed;
}

void Crew::finish_warp(unsigned index, Thread &last) {
    Warp &warp = warps_[index];
    Thread *lanes = threads_ + 32 * index;
    const unsigned members = last.mask & warp.alive;
    for (unsigned l = 0; l < 32; ++l) {
        if (!(members >> l & 1)) continue;
        if (lanes[l].operation != last.operation || lanes[l].mask != last.mask) {
            trouble_ = where(lanes[l]) + " while " + where(last);
            give_up();
        }
        acquire(&lanes[l].arrived);
    }
    compute_warp(lanes, members, last.operation);
    const bool reverse = settings().order == Order::reverse;
    for (unsigned i = 0; i < 32; ++i) {
        const unsigned l = reverse ? 31 - i : i;
        if (!(members >> l & 1)) continue;
        release(&lanes[l].woken);
        lanes[l].doing = Doing::ready;
        make_ready(lanes[l]);
    }
    warp.waiting &= ~members;
}

/* The lane that `self` reads, by the rules of the CUDA guide: a delta that leaves the segment of
 * `width` lanes gives the lane its own value back. */
static unsigned source_lane(const Thread &self) {
    const unsigned lane = self.rank % 32, width = unsigned(self.width), segment = lane & ~(width - 1);
    switch (self.operation) {
    case warp_op::shuffle_index: return segment + (self.argument & (width - 1));
    case warp_op::shuffle_up: return self.argument > lane - segment ? lane : lane - self.argument;
    case warp_op::shuffle_down: return self.argument >= segment + width - lane ? lane : lane + self.argument;
    default: return (lane ^ self.argument) >= segment + width ? lane : lane ^ self.argument;
    }
}

static uint64_t combine(warp_op op, uint64_t a, uint64_t b) {
    const unsigned x = unsigned(a), y = unsigned(b);
    switch (op) {
    case warp_op::add: return x + y;
    case warp_op::min_signed: return unsigned(std::min(int(x), int(y)));
    case warp_op::max_signed: return unsigned(std::max(int(x), int(y)));
    case warp_op::min_unsigned: return std::min(x, y);
    case warp_op::max_unsigned: return std::max(x, y);
    case warp_op::bit_and: return x & y;
    case warp_op::bit_xor: return x ^ y;
    default: return x | y;
    }
}

void Crew::compute_warp(Thread *lanes, unsigned members, warp_op op) {
    unsigned ballot = 0;
    const unsigned first = unsigned(__builtin_ctz(members));
    uint64_t reduced = lanes[first].value;
    bool equal = true;
    for (unsigned l = 0; l < 32; ++l) {
        if (!(members >> l & 1)) continue;
        ballot |= unsigned(lanes[l].value != 0) << l;
        equal = equal && lanes[l].value == lanes[first].value;
        if (l != first && op >= warp_op::add) reduced = combine(op, reduced, lanes[l].value);
    }
    for (unsigned l = 0; l < 32; ++l) {
        if (!(members >> l & 1)) continue;
        Thread &self = lanes[l];
        switch (op) {
        case warp_op::sync: break;
        case warp_op::shuffle_index:
        case warp_op::shuffle_up:
        case warp_op::shuffle_down:
        case warp_op::shuffle_xor: {
            const unsigned from = source_lane(self);
            if (!(members >> from & 1)) {
                trouble_ = where(self) + format(", and reads lane %u, which is not taking part", from);
                give_up();
            }
            self.result = lanes[from].value;
            break;
        }
        case warp_op::ballot: self.result = ballot; break;
        case warp_op::any: self.result = ballot != 0; break;
        case warp_op::all: self.result = ballot == members; break;
        case warp_op::match_all: self.result = equal ? self.mask : 0; break;
        case warp_op::match_any:
            self.result = 0;
            for (unsigned k = 0; k < 32; ++k)
                if ((members >> k & 1) && lanes[k].value == self.value) self.result |= uint64_t(1) << k;
            break;
        default: self.result = reduced; break;
        }
    }
}

const char *operation_name(warp_op op) {
    static const char *const names[] = {
        "__syncwarp",        "__shfl_sync",       "__shfl_up_sync",    "__shfl_down_sync",  "__shfl_xor_sync",
        "__ballot_sync",     "__any_sync",        "__all_sync",        "__match_any_sync",  "__match_all_sync",
        "__reduce_add_sync", "__reduce_min_sync", "__reduce_max_sync", "__reduce_min_sync", "__reduce_max_sync",
        "__reduce_and_sync", "__reduce_or_sync",  "__reduce_xor_sync"};
    return names[int(op)];
}

uint64_t meet_warp(warp_op op, unsigned mask, uint64_t value, unsigned argument, int width, const char *file,
                   int line) {
    return Crew::of_this_thread().meet_warp(op, mask, value, argument, width, file, line);
}

} // namespace cuda_on_cpu
