/* shared_clique.cpp - a rank of a communicator of several processes: what clique.cpp does among threads, over a board.
 *
 * Each rank has a Clique of its own, of which only its own member is used. In collective number n every rank publishes what it
 * asks for and sends, reads what all others did, and carries it out for itself; when all have come to n, its files of n - 1
 * have been read by all and go. A send is a file that its receiver takes away.
 */
#include <cstring>

#include "clique.h"
#include "faults.h"
#include "settings.h"

namespace cuda_on_cpu {
namespace {

/* The request as it travels, without its buffers, and what is sent. */
std::vector<char> written(const Request &request, int rank, int ranks) {
    Request told = request;
    told.send = told.recv = nullptr;
    const size_t bytes = send_bytes(request, rank, ranks);
    std::vector<char> all(sizeof told + bytes);
    std::memcpy(all.data(), &told, sizeof told);
    if (bytes) std::memcpy(all.data() + sizeof told, request.send, bytes);
    return all;
}

std::string name_of(const char *what, uint64_t number, int rank) {
    return format("-%s%llu-%d", what, static_cast<unsigned long long>(number), rank);
}

} // namespace

void Clique::share(const std::string &directory, int rank, int device) {
    board = std::make_unique<Board>(directory + "/" + id_in_names());
    board->publish(name_of("here", 0, rank), std::vector<char>(1, char(device)));
}

/* Spaces and zeros of the unique id do not go into names. */
std::string Clique::id_in_names() const {
    std::string name;
    for (char c : id) {
        if (c == '\0') break;
        name += c == ' ' ? '-' : c;
    }
    return name;
}

/* Which ranks have come, looked up until all have. */
void Clique::look_for_ranks() {
    std::vector<char> device;
    for (int r = 0; r < ranks && arrived < ranks; ++r) {
        Member &member = members[size_t(r)];
        if (member.here || !board->read(name_of("here", 0, r), &device)) continue;
        member.here = true, member.device = device.at(0);
        ++arrived;
    }
}

/* Until ready(); false when the rank is aborted, the clique has failed, or the time is up, which is a fault. */
template <typename Ready> bool Clique::look_until(int rank, const char *name, Ready ready) {
    const auto begin = std::chrono::steady_clock::now();
    std::string missing;
    while (!ready(&missing)) {
        Lock lock(mutex);
        const Member &self = members[size_t(rank)];
        if (self.aborted || self.error != ncclSuccess) return false;
        if (std::chrono::steady_clock::now() - begin > std::chrono::duration<double>(settings().nccl_timeout)) {
            const std::string text = format("%s of rank %d: rank %s did not come within %g s", name, rank, missing.c_str(),
                                            settings().nccl_timeout);
            fault(text);
            fail(ncclRemoteError, text);
            return false;
        }
        lock.unlock();
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return true;
}

void Clique::collective_over_board(int rank, const Request &request, uint64_t number) {
    std::vector<std::vector<char>> all(static_cast<size_t>(ranks));
    board->publish(name_of("c", number, rank), written(request, rank, ranks));
    const bool came = look_until(rank, kind_name(request.kind), [&](std::string *missing) {
        missing->clear();
        for (int r = 0; r < ranks; ++r)
            if (all[size_t(r)].empty() && !board->read(name_of("c", number, r), &all[size_t(r)]))
                *missing += (missing->empty() ? "" : ", ") + std::to_string(r);
        return missing->empty();
    });
    if (!came) return;
    if (number > 0) board->remove(name_of("c", number - 1, rank));
    Meeting meeting;
    std::vector<Request> requests(static_cast<size_t>(ranks));
    std::vector<std::vector<char>> unread(static_cast<size_t>(ranks));
    for (int r = 0; r < ranks; ++r) {
        Request &one = requests[size_t(r)];
        std::memcpy(&one, all[size_t(r)].data(), sizeof one);
        one.send = all[size_t(r)].data() + sizeof one;
        unread[size_t(r)].resize(recv_bytes(one, r, ranks));
        one.recv = r == rank ? request.recv : unread[size_t(r)].data(); /* the others' results are theirs to find */
        meeting.requests.push_back(&one);
    }
    Lock lock(mutex);
    check(meeting);
    if (members[size_t(rank)].error == ncclSuccess) carry_out(meeting.requests);
}

void Clique::point_to_point_over_board(int rank, const std::vector<Request> &requests) {
    for (const Request &request : requests)
        if (request.kind == Kind::send) {
            const uint64_t number = sent_to[request.peer]++;
            board->publish(name_of("p", number, rank) + "-" + std::to_string(request.peer), written(request, rank, ranks));
        }
    for (const Request &request : requests) {
        if (request.kind != Kind::recv) continue;
        const std::string name = name_of("p", heard_from[request.peer]++, request.peer) + "-" + std::to_string(rank);
        std::vector<char> sent;
        const bool came = look_until(rank, kind_name(request.kind), [&](std::string *missing) {
            *missing = std::to_string(request.peer);
            return board->read(name, &sent);
        });
        if (!came) return;
        board->remove(name);
        const size_t bytes = request.count * type_bytes(request.type);
        if (sent.size() != sizeof(Request) + bytes) {
            const std::string text = format("rank %d sends %zu bytes to rank %d, which receives %zu", request.peer,
                                            sent.size() - sizeof(Request), rank, bytes);
            Lock lock(mutex);
            fault(text);
            return fail(ncclInvalidUsage, text);
        }
        if (bytes) std::memcpy(request.recv, sent.data() + sizeof(Request), bytes);
    }
}

} // namespace cuda_on_cpu
