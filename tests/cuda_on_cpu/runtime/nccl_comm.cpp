/* nccl_comm.cpp - communicators: unique ids, the meeting of the ranks, errors, finalize and abort. */
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <set>

#include "clique.h"
#include "device.h"
#include "faults.h"
#include "libraries.h"
#include "settings.h"

namespace cuda_on_cpu {
namespace {

struct Registry {
    std::mutex mutex;
    std::map<std::string, std::shared_ptr<Clique>> gathering; /* by unique id, until all ranks came */
    std::set<ncclComm_t> communicators;
};

Registry &registry() {
    static Registry &only = *new Registry();
    return only;
}

thread_local std::string last_message;

ncclResult_t refuse(ncclResult_t error, const std::string &text) {
    note(text);
    return record_nccl_error(error, text);
}

/* When the last rank has come: no two may be on one device. */
void check_devices(Clique &clique) {
    for (int a = 0; a < clique.ranks; ++a)
        for (int b = 0; b < a; ++b)
            if (clique.members[size_t(a)].device == clique.members[size_t(b)].device) {
                clique.init_result = ncclInvalidUsage;
                clique.fail(ncclInvalidUsage, format("duplicate device: ranks %d and %d are both on device %d", b, a,
                                                     clique.members[size_t(a)].device));
                note(clique.members[0].message);
                return;
            }
}

/* The same once a rank of several processes has seen all. */
void check_shared_devices(Clique &clique) {
    if (!clique.devices_checked) check_devices(clique);
    clique.devices_checked = true;
}

ncclResult_t join(ncclComm_t *comm, int ranks, const ncclUniqueId &id, int rank, int on_device, bool blocking) {
    const std::string key(id.internal, sizeof id.internal);
    std::lock_guard<std::mutex> lock(registry().mutex);
    if (key.compare(0, 11, "cuda_on_cpu") != 0)
        return refuse(ncclInvalidArgument, "the unique id does not come from ncclGetUniqueId");
    const bool shared = !settings().shared.empty();
    std::shared_ptr<Clique> alone; /* of several processes: each rank has its own */
    auto &clique = shared ? alone : registry().gathering[key];
    if (!clique) clique = std::make_shared<Clique>(ranks, key);
    std::lock_guard<std::mutex> clique_lock(clique->mutex);
    if (clique->ranks != ranks)
        return refuse(ncclInvalidArgument,
                      format("rank %d says %d ranks, another said %d", rank, ranks, clique->ranks));
    Clique::Member &self = clique->members[size_t(rank)];
    if (self.here) return refuse(ncclInvalidUsage, format("rank %d came twice", rank));
    *comm = new ncclComm{clique, rank, on_device, blocking};
    registry().communicators.insert(*comm);
    if (arrival_hangs("ncclCommInitRank", rank)) return ncclSuccess; /* never counted as here */
    if (shared) {
        clique->share(settings().shared, rank, on_device);
        return ncclSuccess;
    }
    self.here = true;
    self.device = on_device;
    if (++clique->arrived == ranks) {
        check_devices(*clique);
        clique->changed.notify_all();
        registry().gathering.erase(key);
    }
    return ncclSuccess;
}

void forget(ncclComm_t comm) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    registry().communicators.erase(comm);
    if (!comm->clique->complete()) registry().gathering.erase(comm->clique->id);
}

} // namespace

ncclResult_t record_nccl_error(ncclResult_t error, const std::string &message) {
    last_message = message;
    return error;
}

ncclResult_t enter_nccl_call(const char *name) {
    int chosen = ncclSystemError;
    if (!call_fails(name, &chosen)) return ncclSuccess;
    return refuse(ncclResult_t(chosen), format("%s fails with error %d, as CUDA_ON_CPU_FAIL asks", name, chosen));
}

bool known(ncclComm_t comm) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    return registry().communicators.count(comm) != 0;
}

/* A blocking initialisation returns when the last rank has come, or names those that have not. */
ncclResult_t wait_for_all_ranks(ncclComm_t comm) {
    Clique &clique = *comm->clique;
    std::unique_lock<std::mutex> lock(clique.mutex);
    const auto over = [&] { return clique.complete() || clique.members[size_t(comm->rank)].aborted; };
    if (!clique.changed.wait_for(lock, std::chrono::duration<double>(settings().nccl_timeout), over)) {
        std::string who;
        for (int r = 0; r < clique.ranks; ++r)
            if (!clique.members[size_t(r)].here) who += (who.empty() ? "" : ", ") + std::to_string(r);
        const std::string text = format("ncclCommInitRank of rank %d: rank %s did not come within %g s", comm->rank,
                                        who.c_str(), settings().nccl_timeout);
        fault(text);
        return record_nccl_error(ncclRemoteError, text);
    }
    return clique.init_result;
}

static void abort_all_communicators() {
    std::set<ncclComm_t> all;
    {
        std::lock_guard<std::mutex> lock(registry().mutex);
        all = registry().communicators;
    }
    for (ncclComm_t comm : all) ncclCommAbort(comm);
    std::lock_guard<std::mutex> lock(registry().mutex);
    registry().gathering.clear();
}

static int describe_communicators(bool describe) {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (ncclComm_t comm : registry().communicators)
        if (describe) std::fprintf(stderr, "cuda_on_cpu: leak: communicator of rank %d\n", comm->rank);
    return int(registry().communicators.size());
}

static const bool registered = register_library({abort_all_communicators, describe_communicators});

} // namespace cuda_on_cpu

using namespace cuda_on_cpu;

ncclResult_t ncclGetVersion(int *version) {
    *version = NCCL_VERSION_CODE;
    return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId *id) {
    if (const ncclResult_t failed = enter_nccl_call("ncclGetUniqueId")) return failed;
    static std::atomic<unsigned> number{0};
    std::memset(id, 0, sizeof *id);
    std::snprintf(id->internal, sizeof id->internal, "cuda_on_cpu %d %u", int(getpid()), ++number);
    return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t *config) {
    if (const ncclResult_t failed = enter_nccl_call("ncclCommInitRank")) return failed;
    if (!comm || ranks < 1 || rank < 0 || rank >= ranks)
        return record_nccl_error(ncclInvalidArgument, "ncclCommInitRank: rank or number of ranks out of range");
    *comm = nullptr;
    int on_device = 0;
    if (cudaGetDevice(&on_device) != cudaSuccess) return record_nccl_error(ncclUnhandledCudaError, "no CUDA device");
    const bool blocking = !config || config->blocking == NCCL_CONFIG_UNDEF_INT || config->blocking;
    if (const ncclResult_t failed = join(comm, ranks, id, rank, on_device, blocking)) return failed;
    if (!blocking) return ncclInProgress;
    if (defer_to_group(*comm)) return ncclSuccess;
    const ncclResult_t result = wait_for_all_ranks(*comm);
    if (result != ncclSuccess) {
        record_nccl_error(result, (*comm)->clique->members[size_t(rank)].message);
        forget(*comm);
        delete *comm;
        *comm = nullptr;
    }
    return result;
}

ncclResult_t ncclCommInitRank(ncclComm_t *comm, int ranks, ncclUniqueId id, int rank) {
    return ncclCommInitRankConfig(comm, ranks, id, rank, nullptr);
}

ncclResult_t ncclCommInitAll(ncclComm_t *comms, int count, const int *devices) {
    if (const ncclResult_t failed = enter_nccl_call("ncclCommInitAll")) return failed;
    ncclUniqueId id;
    ncclGetUniqueId(&id);
    int previous = 0;
    cudaGetDevice(&previous);
    ncclResult_t result = ncclGroupStart();
    for (int r = 0; r < count && result == ncclSuccess; ++r) {
        if (cudaSetDevice(devices ? devices[r] : r) != cudaSuccess) result = ncclUnhandledCudaError;
        else result = ncclCommInitRank(&comms[r], count, id, r);
    }
    const ncclResult_t ended = result == ncclSuccess ? ncclGroupEnd() : (ncclGroupEnd(), result);
    cudaSetDevice(previous);
    return ended;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *error) {
    if (!known(comm)) return record_nccl_error(ncclInvalidArgument, "not a communicator");
    Clique &clique = *comm->clique;
    std::lock_guard<std::mutex> lock(clique.mutex);
    const Clique::Member &self = clique.members[size_t(comm->rank)];
    *error = self.error;
    if (self.error == ncclSuccess && !clique.complete()) *error = ncclInProgress;
    if (*error == ncclSuccess && clique.board) check_shared_devices(clique), *error = self.error;
    if (self.error == ncclSuccess && self.finalized && self.outstanding > 0) *error = ncclInProgress;
    return ncclSuccess;
}

/* Waits for what this rank has queued (blocking), or lets ncclCommGetAsyncError tell (non-blocking). */
ncclResult_t ncclCommFinalize(ncclComm_t comm) {
    if (const ncclResult_t failed = enter_nccl_call("ncclCommFinalize")) return failed;
    if (!known(comm)) return record_nccl_error(ncclInvalidArgument, "not a communicator");
    Clique &clique = *comm->clique;
    std::unique_lock<std::mutex> lock(clique.mutex);
    Clique::Member &self = clique.members[size_t(comm->rank)];
    if (self.finalized) return record_nccl_error(ncclInvalidArgument, "the communicator is finalized already");
    self.finalized = true;
    if (!comm->blocking) return self.outstanding > 0 ? ncclInProgress : ncclSuccess;
    clique.changed.wait(lock, [&] { return self.outstanding == 0; });
    return self.error;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
    if (const ncclResult_t failed = enter_nccl_call("ncclCommDestroy")) return failed;
    if (!known(comm)) return record_nccl_error(ncclInvalidArgument, "not a communicator (destroyed twice?)");
    {
        Clique &clique = *comm->clique;
        std::unique_lock<std::mutex> lock(clique.mutex);
        Clique::Member &self = clique.members[size_t(comm->rank)];
        clique.changed.wait(lock, [&] { return self.outstanding == 0; });
    }
    forget(comm);
    delete comm;
    return ncclSuccess;
}

/* Wakes this rank's waiting stream; its unfinished collectives end without a result. The other
 * ranks go on waiting until they abort too, as on a real machine. */
ncclResult_t ncclCommAbort(ncclComm_t comm) {
    if (!known(comm)) return record_nccl_error(ncclInvalidArgument, "not a communicator");
    {
        std::lock_guard<std::mutex> lock(comm->clique->mutex);
        comm->clique->members[size_t(comm->rank)].aborted = true;
        comm->clique->changed.notify_all();
    }
    forget(comm);
    delete comm;
    return ncclSuccess;
}

ncclResult_t ncclCommCount(const ncclComm_t comm, int *count) {
    if (!known(comm)) return ncclInvalidArgument;
    *count = comm->clique->ranks;
    return ncclSuccess;
}

ncclResult_t ncclCommCuDevice(const ncclComm_t comm, int *on_device) {
    if (!known(comm)) return ncclInvalidArgument;
    *on_device = comm->device;
    return ncclSuccess;
}

ncclResult_t ncclCommUserRank(const ncclComm_t comm, int *rank) {
    if (!known(comm)) return ncclInvalidArgument;
    *rank = comm->rank;
    return ncclSuccess;
}

const char *ncclGetErrorString(ncclResult_t error) {
    switch (error) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "unhandled cuda error (run with NCCL_DEBUG=INFO for details)";
    case ncclSystemError: return "unhandled system error (run with NCCL_DEBUG=INFO for details)";
    case ncclInternalError: return "internal error - please report this issue to the NCCL developers";
    case ncclInvalidArgument: return "invalid argument (run with NCCL_DEBUG=WARN for details)";
    case ncclInvalidUsage: return "invalid usage (run with NCCL_DEBUG=WARN for details)";
    case ncclRemoteError: return "remote process exited or there was a network error";
    case ncclInProgress: return "NCCL operation in progress";
    default: return "unknown result code";
    }
}

const char *ncclGetLastError(ncclComm_t comm) {
    static thread_local std::string text;
    text = last_message;
    if (comm && known(comm)) {
        std::lock_guard<std::mutex> lock(comm->clique->mutex);
        const std::string &own = comm->clique->members[size_t(comm->rank)].message;
        if (!own.empty()) text = own;
    }
    return text.c_str();
}
