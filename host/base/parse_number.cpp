/*
 * parse_number.cpp - the library's only C++: std::from_chars and std::to_chars behind a C interface.
 *
 * C offers no parser of doubles that is at once fast, correctly rounded and free of the locale.
 */
#include "base/parse_number.h"

#include <charconv>
#include <limits>
#include <system_error>

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* from_chars takes no plus sign. Null where a second sign follows. */
const char *skip_plus(const char *begin, const char *end) {
    if (begin == end || *begin != '+') return begin;
    if (begin + 1 == end || begin[1] == '-') return nullptr;
    return begin + 1;
}

/* A number that from_chars finds out of range is huge or tiny: that is the sign of its decimal exponent, the place of
 * its first digit other than zero plus the exponent written. */
double out_of_range_value(const char *begin, const char *end) {
    bool negative = *begin == '-';
    const char *at = begin + negative;
    int64_t place = 0;
    bool point = false, started = false;
    for (; at < end && (is_digit(*at) || *at == '.'); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        started = started || *at != '0';
        if (started && !point) place++;
        if (!started && point) place--;
    }
    if (at < end) at++; /* the letter e */
    bool shrinks = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    constexpr int64_t MOST = INT64_C(1) << 60; /* more digits than any text has; the sum of two cannot overflow */
    int64_t exponent = 0;
    for (; at < end && exponent < MOST / 16; at++) exponent = 10 * exponent + (*at - '0');
    if (at < end) exponent = MOST;
    if (shrinks) exponent = -exponent;
    double value = place + exponent > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    return negative ? -value : value;
}

template <typename Number, typename Prefix>
bool parse_whole(const char *begin, const char *end, Number *value, Prefix prefix) {
    while (begin < end && is_blank(*begin)) begin++;
    while (begin < end && is_blank(end[-1])) end--;
    return prefix(begin, end, value) == end && begin < end;
}

} // namespace

extern "C" {

const char *fr_parse_double_prefix(const char *begin, const char *end, double *value) {
    begin = skip_plus(begin, end);
    if (!begin) return nullptr;
    std::from_chars_result result = std::from_chars(begin, end, *value);
    if (result.ec == std::errc()) return result.ptr;
    if (result.ec != std::errc::result_out_of_range) return nullptr;
    *value = out_of_range_value(begin, result.ptr);
    return result.ptr;
}

bool fr_parse_double(const char *begin, const char *end, double *value) {
    return parse_whole(begin, end, value, fr_parse_double_prefix);
}

const char *fr_parse_int64_prefix(const char *begin, const char *end, int64_t *value) {
    begin = skip_plus(begin, end);
    if (!begin) return nullptr;
    std::from_chars_result result = std::from_chars(begin, end, *value);
    return result.ec == std::errc() ? result.ptr : nullptr;
}

bool fr_parse_int64(const char *begin, const char *end, int64_t *value) {
    return parse_whole(begin, end, value, fr_parse_int64_prefix);
}

size_t fr_format_double(char *text, size_t size, double value) {
    if (size == 0) return 0;
    std::to_chars_result result = std::to_chars(text, text + size - 1, value);
    if (result.ec != std::errc()) result.ptr = text;
    *result.ptr = '\0';
    return static_cast<size_t>(result.ptr - text);
}

} // extern "C"
