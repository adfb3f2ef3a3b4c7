/* nccl_group.cpp - issuing operations: checks, groups, and the way onto the stream. */
#include <nccl.h>

#include "clique.h"
#include "device.h"
#include "faults.h"
#include "memory.h"
#include "settings.h"
#include "stream.h"

namespace cuda_on_cpu {
namespace {

struct Pending {
    ncclComm_t comm;
    Request request;
    cudaStream_t stream;
};

/* A thread's open group. */
struct Group {
    int depth = 0;
    std::vector<Pending> operations;
    std::vector<ncclComm_t> initialisations;
    ncclResult_t error = ncclSuccess;
};

thread_local Group group;

ncclResult_t refuse(ncclResult_t error, const std::string &text) {
    note(text);
    return record_nccl_error(error, text);
}

ncclResult_t check_buffer(const ncclComm_t comm, const Request &request, const char *side, const void *buffer,
                          size_t bytes) {
    if (bytes == 0) return ncclSuccess;
    const std::string trouble = buffer ? device_range_trouble(buffer, bytes, comm->device) : "it is NULL";
    if (trouble.empty()) return ncclSuccess;
    return refuse(ncclInvalidArgument,
                  format("%s of rank %d: %s buffer: %s", kind_name(request.kind), comm->rank, side, trouble.c_str()));
}

ncclResult_t check_request(const ncclComm_t comm, const Request &request) {
    const int ranks = comm->clique->ranks;
    if (type_bytes(request.type) == 0) return refuse(ncclInvalidArgument, "this element type is not supported here");
    if (int(request.op) < 0 || int(request.op) >= ncclNumOps) return refuse(ncclInvalidArgument, "unknown reduction");
    if (request.peer < 0 || request.peer >= ranks)
        return refuse(ncclInvalidArgument, format("there is no rank %d", request.peer));
    const ncclResult_t sending =
        check_buffer(comm, request, "send", request.send, send_bytes(request, comm->rank, ranks));
    return sending ? sending
                   : check_buffer(comm, request, "receive", request.recv, recv_bytes(request, comm->rank, ranks));
}

ncclResult_t check_state(const ncclComm_t comm) {
    std::lock_guard<std::mutex> lock(comm->clique->mutex);
    const Clique::Member &self = comm->clique->members[size_t(comm->rank)];
    if (self.error != ncclSuccess) return record_nccl_error(self.error, self.message);
    if (self.finalized) return refuse(ncclInvalidUsage, "the communicator is finalized");
    if (!comm->clique->complete() && group.initialisations.empty())
        return refuse(ncclInvalidUsage, format("rank %d calls a collective before all ranks came", comm->rank));
    return ncclSuccess;
}

/* One thread that serves two ranks without a group would wait in the first call for the second. */
ncclResult_t check_caller(const ncclComm_t comm, const Request &request) {
    std::lock_guard<std::mutex> lock(comm->clique->mutex);
    const std::thread::id self = std::this_thread::get_id();
    for (int r = 0; r < comm->clique->ranks; ++r)
        if (r != comm->rank && comm->clique->members[size_t(r)].caller == self)
            return refuse(ncclInvalidUsage,
                          format("%s: one thread calls for ranks %d and %d outside a group, which can lock up",
                                 kind_name(request.kind), r, comm->rank));
    comm->clique->members[size_t(comm->rank)].caller = self;
    return ncclSuccess;
}

/* Queues an operation that runs `work` for a rank, and counts it as outstanding until it is done.
 * Captured, it may run never or often, so only the runs are counted. */
template <typename Work> ncclResult_t queue(ncclComm_t comm, cudaStream_t handle, const char *name, Work work) {
    const std::shared_ptr<Stream> stream = find_stream(handle);
    if (!stream) return record_nccl_error(ncclInvalidArgument, "not a stream");
    if (stream->device.id != comm->device)
        return refuse(ncclInvalidArgument, format("rank %d is on device %d, but the stream belongs to device %d",
                                                  comm->rank, comm->device, stream->device.id));
    const bool counted = !stream->capture;
    const auto count = [clique = comm->clique, rank = comm->rank](int change) {
        std::lock_guard<std::mutex> lock(clique->mutex);
        clique->members[size_t(rank)].outstanding += change;
        clique->changed.notify_all();
    };
    if (counted) count(1);
    stream->submit({name,
                    [clique = comm->clique, rank = comm->rank, work, count, counted, &device = stream->device] {
                        if (device.sticky == cudaSuccess) work(*clique, rank);
                        if (counted) count(-1);
                    },
                    true});
    return ncclSuccess;
}

ncclResult_t queue_collective(const Pending &pending) {
    const Request request = pending.request;
    return queue(pending.comm, pending.stream, kind_name(request.kind),
                 [request](Clique &clique, int rank) { clique.collective(rank, request); });
}

ncclResult_t queue_point_to_point(ncclComm_t comm, cudaStream_t stream, const std::vector<Request> &requests) {
    return queue(comm, stream, kind_name(requests[0].kind),
                 [requests](Clique &clique, int rank) { clique.point_to_point(rank, requests); });
}

bool is_point_to_point(const Request &request) { return request.kind == Kind::send || request.kind == Kind::recv; }

/* A group's sends and receives of one rank go together; its collectives follow in order. */
ncclResult_t issue_group(const std::vector<Pending> &operations) {
    ncclResult_t result = ncclSuccess;
    std::map<ncclComm_t, std::pair<cudaStream_t, std::vector<Request>>> exchanges;
    for (const Pending &pending : operations)
        if (is_point_to_point(pending.request)) {
            auto &[stream, requests] = exchanges[pending.comm];
            stream = pending.stream;
            requests.push_back(pending.request);
        }
    for (const auto &[comm, exchange] : exchanges)
        if (result == ncclSuccess) result = queue_point_to_point(comm, exchange.first, exchange.second);
    for (const Pending &pending : operations)
        if (result == ncclSuccess && !is_point_to_point(pending.request)) result = queue_collective(pending);
    return result;
}

ncclResult_t issue_checked(ncclComm_t comm, const Request &request, cudaStream_t stream) {
    if (const ncclResult_t failed = enter_nccl_call(kind_name(request.kind))) return failed;
    if (!known(comm)) return refuse(ncclInvalidArgument, "not a communicator");
    if (const ncclResult_t failed = check_state(comm)) return failed;
    if (const ncclResult_t failed = check_request(comm, request)) return failed;
    if (group.depth > 0) {
        group.operations.push_back({comm, request, stream});
        return ncclSuccess;
    }
    if (const ncclResult_t failed = check_caller(comm, request)) return failed;
    return is_point_to_point(request) ? queue_point_to_point(comm, stream, {request})
                                      : queue_collective({comm, request, stream});
}

} // namespace

bool defer_to_group(ncclComm_t comm) {
    if (group.depth == 0) return false;
    group.initialisations.push_back(comm);
    return true;
}

ncclResult_t issue(ncclComm_t comm, const Request &request, cudaStream_t stream) {
    const ncclResult_t result = issue_checked(comm, request, stream);
    if (result != ncclSuccess && group.depth > 0 && group.error == ncclSuccess) group.error = result;
    return result;
}

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

ncclResult_t ncclGroupStart() {
    ++group.depth;
    return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
    if (group.depth == 0) return record_nccl_error(ncclInvalidUsage, "ncclGroupEnd without ncclGroupStart");
    if (--group.depth > 0) return ncclSuccess;
    const Group ended = std::move(group);
    group = Group();
    if (const ncclResult_t failed = enter_nccl_call("ncclGroupEnd")) return failed;
    if (ended.error != ncclSuccess) return ended.error;
    for (ncclComm_t comm : ended.initialisations)
        if (const ncclResult_t failed = wait_for_all_ranks(comm)) return failed;
    return issue_group(ended.operations);
}

ncclResult_t ncclAllReduce(const void *send, void *recv, size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream) {
    return issue(comm, {Kind::all_reduce, send, recv, count, type, op, 0}, stream);
}

ncclResult_t ncclReduce(const void *send, void *recv, size_t count, ncclDataType_t type, ncclRedOp_t op, int root,
                        ncclComm_t comm, cudaStream_t stream) {
    return issue(comm, {Kind::reduce, send, recv, count, type, op, root}, stream);
}

ncclResult_t ncclBroadcast(const void *send, void *recv, size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                           cudaStream_t stream) {
    return issue(comm, {Kind::broadcast, send, recv, count, type, ncclSum, root}, stream);
}

ncclResult_t ncclBcast(void *buffer, size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                       cudaStream_t stream) {
    return issue(comm, {Kind::broadcast, buffer, buffer, count, type, ncclSum, root}, stream);
}

ncclResult_t ncclAllGather(const void *send, void *recv, size_t count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream) {
    return issue(comm, {Kind::all_gather, send, recv, count, type, ncclSum, 0}, stream);
}

ncclResult_t ncclReduceScatter(const void *send, void *recv, size_t count, ncclDataType_t type, ncclRedOp_t op,
                               ncclComm_t comm, cudaStream_t stream) {
    return issue(comm, {Kind::reduce_scatter, send, recv, count, type, op, 0}, stream);
}

#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 28, 0)
ncclResult_t ncclAlltoAll(const void *send, void *recv, size_t count, ncclDataType_t type, ncclComm_t comm,
                          cudaStream_t stream) {
    return issue(comm, {Kind::all_to_all, send, recv, count, type, ncclSum, 0}, stream);
}

ncclResult_t ncclGather(const void *send, void *recv, size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                        cudaStream_t stream) {
    return issue(comm, {Kind::gather, send, recv, count, type, ncclSum, root}, stream);
}

ncclResult_t ncclScatter(const void *send, void *recv, size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                         cudaStream_t stream) {
    return issue(comm, {Kind::scatter, send, recv, count, type, ncclSum, root}, stream);
}
#endif

ncclResult_t ncclSend(const void *send, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
    return issue(comm, {Kind::send, send, nullptr, count, type, ncclSum, peer}, stream);
}

ncclResult_t ncclRecv(void *recv, size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
    return issue(comm, {Kind::recv, nullptr, recv, count, type, ncclSum, peer}, stream);
}
