/* nccl_reduce.cpp - the arithmetic of collectives: sizes, element types, reductions, movement. */
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstring>
#include <type_traits>

#include "clique.h"
#include "settings.h"

namespace cuda_on_cpu {
namespace {

/* Integers are combined as unsigned ones: an int8 sum past 127 wraps silently, as NCCL's does. */
template <typename T> T add(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
        using U = std::make_unsigned_t<T>;
        return T(U(U(a) + U(b)));
    } else {
        return a + b;
    }
}

template <typename T> T multiply(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
        using U = std::make_unsigned_t<T>;
        return T(U(uint64_t(U(a)) * uint64_t(U(b))));
    } else {
        return a * b;
    }
}

template <typename T> T combine(ncclRedOp_t op, T a, T b) {
    switch (int(op)) {
    case ncclProd: return multiply(a, b);
    case ncclMax: return a < b || b != b ? b : a;
    case ncclMin: return b < a || b != b ? b : a;
    default: return add(a, b);
    }
}

/* Load, store: how an element is held while it is combined. */
template <typename T> struct Plain {
    using Stored = T;
    static T load(T v) { return v; }
    static T store(T v) { return v; }
};
struct Half {
    using Stored = __half;
    static float load(__half v) { return __half2float(v); }
    static __half store(float v) { return __float2half_rn(v); }
};
struct Bfloat {
    using Stored = __nv_bfloat16;
    static float load(__nv_bfloat16 v) { return __bfloat162float(v); }
    static __nv_bfloat16 store(float v) { return __float2bfloat16_rn(v); }
};

template <typename Element>
void reduce_elements(const std::vector<const void *> &sources, void *target, size_t count, ncclRedOp_t op) {
    using Stored = typename Element::Stored;
    Stored *out = static_cast<Stored *>(target);
    for (size_t i = 0; i < count; ++i) {
        Stored sum = static_cast<const Stored *>(sources[0])[i];
        for (size_t r = 1; r < sources.size(); ++r)
            sum = Element::store(
                combine(op, Element::load(sum), Element::load(static_cast<const Stored *>(sources[r])[i])));
        if (op == ncclAvg) {
            auto value = Element::load(sum);
            sum = Element::store(decltype(value)(value / decltype(value)(sources.size())));
        }
        out[i] = sum;
    }
}

void reduce(const std::vector<const void *> &sources, void *target, size_t count, ncclDataType_t type,
            ncclRedOp_t op) {
    switch (int(type)) {
    case ncclInt8: return reduce_elements<Plain<int8_t>>(sources, target, count, op);
    case ncclUint8: return reduce_elements<Plain<uint8_t>>(sources, target, count, op);
    case ncclInt32: return reduce_elements<Plain<int32_t>>(sources, target, count, op);
    case ncclUint32: return reduce_elements<Plain<uint32_t>>(sources, target, count, op);
    case ncclInt64: return reduce_elements<Plain<int64_t>>(sources, target, count, op);
    case ncclUint64: return reduce_elements<Plain<uint64_t>>(sources, target, count, op);
    case ncclFloat32: return reduce_elements<Plain<float>>(sources, target, count, op);
    case ncclFloat64: return reduce_elements<Plain<double>>(sources, target, count, op);
    case ncclFloat16: return reduce_elements<Half>(sources, target, count, op);
    default: return reduce_elements<Bfloat>(sources, target, count, op);
    }
}

} // namespace

size_t type_bytes(ncclDataType_t type) {
    switch (int(type)) {
    case ncclInt8:
    case ncclUint8: return 1;
    case ncclFloat16:
    case ncclBfloat16: return 2;
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32: return 4;
    case ncclInt64:
    case ncclUint64:
    case ncclFloat64: return 8;
    default: return 0;
    }
}

const char *kind_name(Kind kind) {
    static const char *const names[] = {"ncclAllReduce",     "ncclReduce",   "ncclBroadcast", "ncclAllGather",
                                        "ncclReduceScatter", "ncclAlltoAll", "ncclGather",    "ncclScatter",
                                        "ncclSend",          "ncclRecv"};
    return names[int(kind)];
}

size_t send_bytes(const Request &r, int rank, int ranks) {
    const size_t bytes = r.count * type_bytes(r.type);
    switch (r.kind) {
    case Kind::broadcast: return rank == r.peer ? bytes : 0;
    case Kind::scatter: return rank == r.peer ? bytes * size_t(ranks) : 0;
    case Kind::reduce_scatter:
    case Kind::all_to_all: return bytes * size_t(ranks);
    case Kind::recv: return 0;
    default: return bytes;
    }
}

size_t recv_bytes(const Request &r, int rank, int ranks) {
    const size_t bytes = r.count * type_bytes(r.type);
    switch (r.kind) {
    case Kind::reduce: return rank == r.peer ? bytes : 0;
    case Kind::gather: return rank == r.peer ? bytes * size_t(ranks) : 0;
    case Kind::all_gather:
    case Kind::all_to_all: return bytes * size_t(ranks);
    case Kind::send: return 0;
    default: return bytes;
    }
}

/* Everything is read into one copy first, so that sending and receiving in place is right. */
void carry_out(const std::vector<const Request *> &requests) {
    const int ranks = int(requests.size());
    const Request &any = *requests[0];
    const size_t part = any.count * type_bytes(any.type), root = size_t(any.peer);
    std::vector<std::vector<char>> sent;
    for (int r = 0; r < ranks; ++r) {
        const char *from = static_cast<const char *>(requests[size_t(r)]->send);
        const size_t bytes = send_bytes(*requests[size_t(r)], r, ranks);
        sent.emplace_back(bytes);
        if (bytes) std::memcpy(sent.back().data(), from, bytes);
    }
    const auto reduced = [&](size_t offset, void *target) {
        std::vector<const void *> sources;
        for (const auto &each : sent) sources.push_back(each.data() + offset);
        reduce(sources, target, any.count, any.type, any.op);
    };
    for (size_t r = 0; r < size_t(ranks) && part; ++r) {
        char *to = static_cast<char *>(requests[r]->recv);
        switch (any.kind) {
        case Kind::all_reduce: reduced(0, to); break;
        case Kind::reduce:
            if (r == root) reduced(0, to);
            break;
        case Kind::reduce_scatter: reduced(r * part, to); break;
        case Kind::broadcast: std::memcpy(to, sent[root].data(), part); break;
        case Kind::scatter: std::memcpy(to, sent[root].data() + r * part, part); break;
        default: /* gathers and all-to-all */
            for (size_t from = 0; from < size_t(ranks); ++from) {
                if (any.kind == Kind::gather && r != root) break;
                std::memcpy(to + from * part, sent[from].data() + (any.kind == Kind::all_to_all ? r * part : 0),
                            part);
            }
        }
        const size_t received = recv_bytes(any, int(r), ranks);
        if (received >= 64 && arrival_flips(kind_name(any.kind), int(r))) to[received / 2] ^= 0x40;
    }
}

} // namespace cuda_on_cpu
