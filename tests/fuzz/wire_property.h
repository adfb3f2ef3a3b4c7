/*
 * wire_property.h - what must hold of the wire formats for any bytes at all. libFuzzer (wire_fuzz.cpp) looks for bytes
 * that break it, and a unit test tries a fixed number of random ones where there is no libFuzzer.
 *
 * Byte 0 chooses the format, byte 1 the largest level s, bytes 2 and 3 the count; the rest is read twice: as a message
 * to decode, and as levels to encode. Buffers are of the exact size, so that a sanitizer sees a step outside.
 */
#ifndef FR_TEST_WIRE_PROPERTY_H
#define FR_TEST_WIRE_PROPERTY_H

#include <cstdint>
#include <vector>

extern "C" {
#include "wire/wire.h"
}

namespace wire_property {

/* A message is refused, or it is the one encoding of a vector of levels in -s..s. */
inline const char *decode(fr_wire wire, int s, int64_t count, const std::vector<uint8_t> &message) {
    std::vector<int8_t> levels(static_cast<size_t>(count));
    fr_error error = {};
    error.message[0] = '\0';
    fr_status status = fr_wire_decode(wire, message.data(), message.size(), count, s, levels.data(), &error);
    if (status != FR_OK) return status == FR_ERROR_DEVICE && error.message[0] ? nullptr : "refused without a line";
    for (int8_t level : levels)
        if (level > s || level < -s) return "a level above s was accepted";
    std::vector<uint8_t> again(fr_wire_most(wire, count, s));
    size_t size = fr_wire_encode(wire, levels.data(), count, s, again.data());
    if (size > again.size()) return "an encoding is larger than the most";
    again.resize(size);
    return again == message ? nullptr : "bytes were accepted that encode does not write";
}

/* Levels come back as they were. */
inline const char *round_trip(fr_wire wire, int s, const std::vector<int8_t> &levels) {
    int64_t count = static_cast<int64_t>(levels.size());
    std::vector<uint8_t> message(fr_wire_most(wire, count, s));
    size_t size = fr_wire_encode(wire, levels.data(), count, s, message.data());
    if (size > message.size()) return "an encoding is larger than the most";
    if (wire != FR_WIRE_ELIAS && size != message.size()) return "the size is not the exact one";
    message.resize(size);
    message.shrink_to_fit();
    std::vector<int8_t> back(levels.size());
    if (fr_wire_decode(wire, message.data(), size, count, s, back.data(), nullptr) != FR_OK)
        return "what encode wrote was refused";
    return back == levels ? nullptr : "the levels came back changed";
}

/* NULL, or what does not hold for these bytes. */
inline const char *broken_by(const uint8_t *bytes, size_t size) {
    const fr_wire wires[] = {FR_WIRE_INT8, FR_WIRE_PACKED, FR_WIRE_ELIAS};
    if (size < 4) return nullptr;
    fr_wire wire = wires[bytes[0] % 3];
    int s = bytes[1] % 127 + 1;
    int64_t count = bytes[2] | (bytes[3] & 15) << 8;
    std::vector<uint8_t> message(bytes + 4, bytes + size);
    const char *wrong = decode(wire, s, count, message);
    if (wrong) return wrong;
    std::vector<int8_t> levels;
    for (uint8_t byte : message) levels.push_back(static_cast<int8_t>(byte % (2 * s + 1) - s));
    return round_trip(wire, s, levels);
}

} // namespace wire_property
#endif
