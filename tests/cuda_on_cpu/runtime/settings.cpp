/* settings.cpp - reads the CUDA_ON_CPU_* variables, and counts the calls that their rules name. */
#include "settings.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "libraries.h"
#include "sanitizers.h"

namespace cuda_on_cpu {
namespace {

struct Rule {
    std::string name;
    int rank = -1;
    long long count = 1; /* which call; for a delay, microseconds */
    bool onwards = false;
    int error = -1;
    long long seen = 0;
};

struct State {
    std::mutex mutex;
    Settings values;
    std::vector<Rule> fail, hang, delay;
    std::map<std::string, unsigned long long> calls;
    std::atomic<bool> any_fail{false}, any_delay{false}, any_hang{false};
};

[[noreturn]] void bad_setting(const char *variable, const std::string &text) {
    std::fprintf(stderr, "cuda_on_cpu: %s=%s cannot be understood\n", variable, text.c_str());
    std::exit(2);
}

std::vector<std::string> split(const std::string &text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

long long number(const char *variable, const std::string &text, bool *plus = nullptr) {
    char *end = nullptr;
    long long value = std::strtoll(text.c_str(), &end, 10);
    if (end == text.c_str() || value < 0) bad_setting(variable, text);
    if (*end == 'K') value <<= 10, ++end;
    else if (*end == 'M') value <<= 20, ++end;
    else if (*end == 'G') value <<= 30, ++end;
    if (plus && *end == '+') *plus = true, ++end;
    if (*end) bad_setting(variable, text);
    return value;
}

/* NAME:N[+][:ERROR], or with a rank NAME:RANK:N[+] */
std::vector<Rule> read_rules(const char *variable, bool with_rank) {
    std::vector<Rule> rules;
    const char *text = std::getenv(variable);
    for (const std::string &item : split(text ? text : "", ',')) {
        const std::vector<std::string> part = split(item, ':');
        if (part.size() < 2 || part.size() > 3 || part[0].empty()) bad_setting(variable, item);
        Rule rule;
        rule.name = part[0];
        if (with_rank) {
            rule.rank = int(number(variable, part[1]));
            if (part.size() == 3) rule.count = number(variable, part[2], &rule.onwards);
        } else {
            rule.count = number(variable, part[1], &rule.onwards);
            if (part.size() == 3) rule.error = int(number(variable, part[2]));
        }
        rules.push_back(rule);
    }
    return rules;
}

void read_order(Settings &values, const std::string &text) {
    if (text == "forward") values.order = Order::forward;
    else if (text == "reverse") values.order = Order::reverse;
    else if (text.compare(0, 6, "random") == 0) {
        values.order = Order::random;
        if (text.size() > 7 && text[6] == ':') values.seed = unsigned(number("CUDA_ON_CPU_ORDER", text.substr(7)));
        else if (text.size() != 6) bad_setting("CUDA_ON_CPU_ORDER", text);
    } else bad_setting("CUDA_ON_CPU_ORDER", text);
}

Settings read_settings() {
    Settings values;
    const auto integer = [](const char *variable, long long fallback) {
        const char *text = std::getenv(variable);
        return text ? number(variable, text) : fallback;
    };
    values.devices = int(integer("CUDA_ON_CPU_DEVICES", values.devices));
    values.driver = int(integer("CUDA_ON_CPU_DRIVER", values.driver));
    values.memory = size_t(integer("CUDA_ON_CPU_MEMORY", (long long)values.memory));
    values.grid_yz = unsigned(integer("CUDA_ON_CPU_GRID_YZ", values.grid_yz));
    values.multiprocessors = int(integer("CUDA_ON_CPU_MULTIPROCESSORS", values.multiprocessors));
    values.capability = int(integer("CUDA_ON_CPU_CAPABILITY", values.capability));
#ifdef CUDA_ON_CPU_TSAN
    values.threads = 4;
#endif
    values.threads = std::max(1u, unsigned(integer("CUDA_ON_CPU_THREADS", values.threads)));
    values.leaks = integer("CUDA_ON_CPU_LEAKS", 0) != 0;
    if (const char *text = std::getenv("CUDA_ON_CPU_ORDER")) read_order(values, text);
    if (const char *text = std::getenv("CUDA_ON_CPU_FAULT")) {
        values.sticky_faults = std::strcmp(text, "sticky") == 0;
        if (!values.sticky_faults && std::strcmp(text, "abort") != 0) bad_setting("CUDA_ON_CPU_FAULT", text);
    }
    if (const char *text = std::getenv("CUDA_ON_CPU_SHARED")) values.shared = text;
    if (const char *text = std::getenv("CUDA_ON_CPU_NCCL_TIMEOUT")) {
        values.nccl_timeout = std::atof(text);
        if (!(values.nccl_timeout > 0)) bad_setting("CUDA_ON_CPU_NCCL_TIMEOUT", text);
    }
    return values;
}

void load(State &state) {
    state.values = read_settings();
    state.fail = read_rules("CUDA_ON_CPU_FAIL", false);
    state.hang = read_rules("CUDA_ON_CPU_HANG", true);
    state.delay = read_rules("CUDA_ON_CPU_DELAY", false);
    state.any_fail = !state.fail.empty();
    state.any_delay = !state.delay.empty();
    state.any_hang = !state.hang.empty();
    state.calls.clear();
}

/* Never destroyed: stream threads outlive main. */
State &state() {
    static State &only = *[] {
        State *fresh = new State();
        load(*fresh);
        std::atexit(check_leaks_at_exit);
        return fresh;
    }();
    return only;
}

bool hits(Rule &rule) {
    ++rule.seen;
    return rule.seen == rule.count || (rule.onwards && rule.seen > rule.count);
}

} // namespace

const Settings &settings() { return state().values; }

void reload_settings() {
    std::lock_guard<std::mutex> lock(state().mutex);
    load(state());
}

bool call_fails(const char *name, int *error) {
    State &s = state();
    std::lock_guard<std::mutex> lock(s.mutex);
    ++s.calls[name];
    for (Rule &rule : s.fail) {
        if (rule.name != name || !hits(rule)) continue;
        if (rule.error >= 0) *error = rule.error;
        return true;
    }
    return false;
}

bool run_fails(const char *name, int *error) { return state().any_fail && call_fails(name, error); }

unsigned long long calls_of(const char *name) {
    std::lock_guard<std::mutex> lock(state().mutex);
    const auto found = state().calls.find(name);
    return found == state().calls.end() ? 0 : found->second;
}

bool arrival_hangs(const char *name, int rank) {
    State &s = state();
    if (!s.any_hang) return false;
    std::lock_guard<std::mutex> lock(s.mutex);
    bool lost = false;
    for (Rule &rule : s.hang)
        if (rule.name == name && rule.rank == rank && hits(rule)) lost = true;
    return lost;
}

void delay(const char *name) {
    State &s = state();
    if (!s.any_delay) return;
    long long microseconds = 0;
    {
        std::lock_guard<std::mutex> lock(s.mutex);
        for (const Rule &rule : s.delay)
            if (rule.name == name || rule.name == "any") microseconds += rule.count;
    }
    if (microseconds) std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

} // namespace cuda_on_cpu
