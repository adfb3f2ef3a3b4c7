/* clique.cpp - where ranks meet: collectives by their number, sends with their receives. */
#include "clique.h"

#include "faults.h"
#include "settings.h"

namespace cuda_on_cpu {

/* The error of every rank, as ncclCommGetAsyncError tells it; nobody waits any longer. */
void Clique::fail(ncclResult_t error, const std::string &message) {
    for (Member &member : members) {
        if (member.error != ncclSuccess) continue;
        member.error = error;
        member.message = message;
    }
    changed.notify_all();
}

template <typename Ready, typename Missing>
bool Clique::wait_until(Lock &lock, int rank, const char *name, Ready ready, Missing missing) {
    Member &self = members[size_t(rank)];
    const auto over = [&] { return ready() || self.aborted || self.error != ncclSuccess; };
    if (!changed.wait_for(lock, std::chrono::duration<double>(settings().nccl_timeout), over)) {
        const std::string text = format("%s of rank %d: rank %s did not come within %g s", name, rank,
                                        missing().c_str(), settings().nccl_timeout);
        fault(text);
        fail(ncclRemoteError, text);
    }
    return ready();
}

/* CUDA_ON_CPU_HANG: the rank never arrives. Only an abort (or the others' time-out) ends it. */
void Clique::hang(Lock &lock, int rank) {
    Member &self = members[size_t(rank)];
    changed.wait(lock, [&] { return self.aborted || self.error != ncclSuccess; });
}

std::string Clique::missing(const Meeting &meeting) const {
    std::string who;
    for (int r = 0; r < ranks; ++r)
        if (!meeting.requests[size_t(r)]) who += (who.empty() ? "" : ", ") + std::to_string(r);
    return who;
}

/* The last to arrive compares all requests with rank 0's. */
void Clique::check(const Meeting &meeting) {
    const Request &first = *meeting.requests[0];
    for (int r = 1; r < ranks; ++r) {
        const Request &other = *meeting.requests[size_t(r)];
        if (other.kind == first.kind && other.count == first.count && other.type == first.type &&
            other.op == first.op && other.peer == first.peer)
            continue;
        const auto describe = [](const Request &q) {
            return format("%s of %zu elements of type %d, operation %d, root %d", kind_name(q.kind), q.count,
                          int(q.type), int(q.op), q.peer);
        };
        const std::string text =
            "collective mismatch: rank 0 calls " + describe(first) + format("; rank %d calls ", r) + describe(other);
        fault(text);
        fail(ncclInvalidUsage, text);
        return;
    }
}

void Clique::collective(int rank, const Request &request) {
    const bool lost = arrival_hangs(kind_name(request.kind), rank);
    Lock lock(mutex);
    Member &self = members[size_t(rank)];
    if (self.aborted || self.error != ncclSuccess) return;
    if (lost) return hang(lock, rank);
    int chosen = ncclRemoteError;
    if (run_fails("ncclAsync", &chosen))
        return fail(ncclResult_t(chosen), format("%s of rank %d fails on its stream, as CUDA_ON_CPU_FAIL asks",
                                                 kind_name(request.kind), rank));
    const uint64_t number = self.collectives++;
    if (board) {
        lock.unlock();
        return collective_over_board(rank, request, number);
    }
    Meeting &meeting = meetings_[number];
    meeting.requests.resize(size_t(ranks));
    meeting.requests[size_t(rank)] = &request;
    if (++meeting.here == ranks) {
        check(meeting);
        if (self.error == ncclSuccess) {
            carry_out(meeting.requests);
            meeting.done = true;
        }
        changed.notify_all();
    } else {
        const auto done = [&] { return meeting.done; };
        if (!wait_until(lock, rank, kind_name(request.kind), done, [&] { return missing(meeting); }))
            meeting.requests[size_t(rank)] = nullptr, --meeting.here; /* aborted: it takes its buffers away */
    }
    if (meeting.done && ++meeting.gone == ranks) meetings_.erase(number);
}

/* A send and its receive meet in the order of posting for each pair of ranks. The second copies. */
void Clique::match(Post &post) {
    const bool sending = post.request->kind == Kind::send;
    for (Post *other : posts_) {
        if (other->done || other->from != post.from || other->to != post.to) continue;
        if ((other->request->kind == Kind::send) == sending) continue;
        const Request &send = sending ? *post.request : *other->request,
                      &recv = sending ? *other->request : *post.request;
        if (send.count != recv.count || send.type != recv.type) {
            const std::string text =
                format("rank %d sends %zu elements of type %d to rank %d, which receives %zu of type %d", post.from,
                       send.count, int(send.type), post.to, recv.count, int(recv.type));
            fault(text);
            return fail(ncclInvalidUsage, text);
        }
        if (send.count) __builtin_memcpy(recv.recv, send.send, send.count * type_bytes(send.type));
        post.done = other->done = true;
        changed.notify_all();
        return;
    }
    posts_.push_back(&post);
}

/* All sends and receives of a group progress together, so an exchange between ranks cannot lock up. */
void Clique::point_to_point(int rank, const std::vector<Request> &requests) {
    bool lost = false;
    for (const Request &request : requests) lost = arrival_hangs(kind_name(request.kind), rank) || lost;
    Lock lock(mutex);
    Member &self = members[size_t(rank)];
    if (self.aborted || self.error != ncclSuccess) return;
    if (lost) return hang(lock, rank);
    if (board) {
        lock.unlock();
        return point_to_point_over_board(rank, requests);
    }
    std::list<Post> mine;
    for (const Request &request : requests) {
        const bool sending = request.kind == Kind::send;
        mine.push_back({sending ? rank : request.peer, sending ? request.peer : rank, &request});
        match(mine.back());
    }
    for (const Post &post : mine)
        wait_until(
            lock, rank, kind_name(post.request->kind), [&] { return post.done; },
            [&] { return std::to_string(post.request->peer); });
    posts_.remove_if([&](const Post *post) {
        for (const Post &own : mine)
            if (&own == post) return true;
        return post->done;
    });
}

} // namespace cuda_on_cpu
