/* clique.h - the ranks of one communicator: threads of this process that meet, or (CUDA_ON_CPU_SHARED) of several.
 *
 * NCCL gives every rank a handle; the ranks that share a unique id share one Clique. A collective is
 * queued on each rank's stream, and carried out by the stream thread that comes last, while the
 * others wait: so it sees all requests at once and can check that they agree.
 */
#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "board.h"

namespace cuda_on_cpu {

class Stream;

enum class Kind {
    all_reduce,
    reduce,
    broadcast,
    all_gather,
    reduce_scatter,
    all_to_all,
    gather,
    scatter,
    send,
    recv
};

/* What one rank asks for. `count` is NCCL's: the elements a rank sends, or for a reduce-scatter gets. */
struct Request {
    Kind kind = Kind::all_reduce;
    const void *send = nullptr;
    void *recv = nullptr;
    size_t count = 0;
    ncclDataType_t type = ncclInt8;
    ncclRedOp_t op = ncclSum;
    int peer = 0; /* root, or the other side of a send or recv */
};

const char *kind_name(Kind kind);       /* "ncclAllReduce" ... */
size_t type_bytes(ncclDataType_t type); /* 0: not supported */
/* Bytes that the rank reads from send and writes to recv. */
size_t send_bytes(const Request &request, int rank, int ranks);
size_t recv_bytes(const Request &request, int rank, int ranks);

/* Carries a collective out for all ranks. Sums go from rank 0 upwards, in the type itself: integers
 * wrap as unsigned ones do, halves are rounded after every step. */
void carry_out(const std::vector<const Request *> &requests);

class Clique {
  public:
    Clique(int ranks, std::string id) : ranks(ranks), id(std::move(id)), members(size_t(ranks)) {}

    struct Member {
        bool here = false, aborted = false, finalized = false;
        int device = -1;
        uint64_t collectives = 0; /* how many this rank has reached on its stream */
        int outstanding = 0;      /* queued, not yet done */
        std::thread::id caller;   /* last thread that called a collective outside a group */
        ncclResult_t error = ncclSuccess;
        std::string message;
    };

    /* Called by a rank's stream thread. */
    void collective(int rank, const Request &request);
    void point_to_point(int rank, const std::vector<Request> &requests);

    void fail(ncclResult_t error, const std::string &message); /* for all ranks; the lock is held */
    bool complete() {
        if (board && arrived < ranks) look_for_ranks();
        return arrived == ranks;
    }

    /* Of several processes: this rank says that it is here. */
    void share(const std::string &directory, int rank, int device);
    std::unique_ptr<Board> board; /* NULL: threads of this process */

    const int ranks;
    const std::string id;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Member> members;
    int arrived = 0;
    bool devices_checked = false;
    std::map<int, uint64_t> sent_to, heard_from; /* messages, by peer; of a shared clique's one rank */
    ncclResult_t init_result = ncclSuccess;

  private:
    struct Meeting {
        std::vector<const Request *> requests;
        int here = 0, gone = 0;
        bool done = false;
    };
    struct Post {
        int from, to;
        const Request *request;
        bool done = false;
    };
    using Lock = std::unique_lock<std::mutex>;
    /* Waits until ready(), the rank is aborted, or the clique has failed; false unless ready(). When
   * the time is up that is a fault, which names the ranks that missing() lists. */
    template <typename Ready, typename Missing>
    bool wait_until(Lock &lock, int rank, const char *name, Ready ready, Missing missing);
    std::string missing(const Meeting &meeting) const;
    void check(const Meeting &meeting);
    void match(Post &post);
    void hang(Lock &lock, int rank);
    std::string id_in_names() const;
    void look_for_ranks();
    template <typename Ready> bool look_until(int rank, const char *name, Ready ready);
    void collective_over_board(int rank, const Request &request, uint64_t number);
    void point_to_point_over_board(int rank, const std::vector<Request> &requests);

    std::map<uint64_t, Meeting> meetings_; /* by number of collective */
    std::list<Post *> posts_;
};

} // namespace cuda_on_cpu

/* A rank's handle. */
struct ncclComm {
    std::shared_ptr<cuda_on_cpu::Clique> clique;
    int rank = 0, device = 0;
    bool blocking = true;
};

namespace cuda_on_cpu {

/* nccl_group.cpp: queues the request now, or at the end of the calling thread's group. */
ncclResult_t issue(ncclComm_t comm, const Request &request, cudaStream_t stream);
/* True inside a group; the initialisation is then completed by ncclGroupEnd. */
bool defer_to_group(ncclComm_t comm);

/* nccl_comm.cpp */
ncclResult_t wait_for_all_ranks(ncclComm_t comm);
bool known(ncclComm_t comm);
ncclResult_t record_nccl_error(ncclResult_t error, const std::string &message);
/* ncclSuccess unless CUDA_ON_CPU_FAIL names this call. */
ncclResult_t enter_nccl_call(const char *name);

} // namespace cuda_on_cpu
