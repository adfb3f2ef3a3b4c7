/* cooperative_groups/reduce.h - reduce() over a tile, by the exchange tree that every lane shares.
 *
 * Summation order: lane l adds its partner l ^ h for h = Size/2, Size/4, ..., 1. A GPU may use
 * another order for floating point; integer results are the same.
 */
#pragma once

#include "../cooperative_groups.h"

namespace cooperative_groups {

template <typename T> struct plus {
    T operator()(T a, T b) const { return a + b; }
};
template <typename T> struct less {
    T operator()(T a, T b) const { return b < a ? b : a; }
};
template <typename T> struct greater {
    T operator()(T a, T b) const { return a < b ? b : a; }
};
template <typename T> struct bit_and {
    T operator()(T a, T b) const { return a & b; }
};
template <typename T> struct bit_or {
    T operator()(T a, T b) const { return a | b; }
};
template <typename T> struct bit_xor {
    T operator()(T a, T b) const { return a ^ b; }
};

template <unsigned Size, typename Parent, typename T, typename Operation>
T reduce(const thread_block_tile<Size, Parent> &tile, T value, Operation operation, CUDA_ON_CPU_SITE) {
    for (unsigned half = Size / 2; half > 0; half /= 2)
        value = operation(value, tile.shfl_xor(value, half, file, line));
    return value;
}

} // namespace cooperative_groups
