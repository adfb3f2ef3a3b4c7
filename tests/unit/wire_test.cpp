/* The wire formats: exact sizes, code words by hand, round trips, and decoders that survive any bytes. */
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../fuzz/wire_property.h"
#include "oracle.h"
extern "C" {
#include "wire/elias.h"
}

typedef std::vector<int8_t> Levels;
typedef std::vector<uint8_t> Bytes;
static const fr_wire WIRES[] = {FR_WIRE_INT8, FR_WIRE_PACKED, FR_WIRE_ELIAS};
/* Counts around the eight levels and eight bytes that packed works on. */
static const int64_t COUNTS[] = {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 100, 1001};

static Bytes encoded(fr_wire wire, const Levels &levels, int s) {
    int64_t count = static_cast<int64_t>(levels.size());
    Bytes out(fr_wire_most(wire, count, s));
    out.resize(fr_wire_encode(wire, levels.data(), count, s, out.data()));
    return out;
}

static fr_status decoded(fr_wire wire, const Bytes &in, size_t count, int s, std::string *line = nullptr) {
    Levels levels(count);
    fr_error error = {};
    fr_status status =
        fr_wire_decode(wire, in.data(), in.size(), static_cast<int64_t>(count), s, levels.data(), &error);
    if (line) *line = error.message;
    return status;
}

/* The bits of an Elias message in the order of reading, blanks left out: "0 0 0" -> the bytes. */
static Bytes bits(const char *text) {
    Bytes out;
    int used = 0;
    for (; *text; text++) {
        if (*text == ' ') continue;
        if (used % 8 == 0) out.push_back(0);
        if (*text == '1') out.back() = static_cast<uint8_t>(out.back() | 128 >> used % 8);
        used++;
    }
    return out;
}

TEST(Wire, BitsOfALevel) {
    EXPECT_EQ(fr_wire_bits(1), 2);
    EXPECT_EQ(fr_wire_bits(2), 3);
    EXPECT_EQ(fr_wire_bits(3), 3);
    EXPECT_EQ(fr_wire_bits(4), 4);
    EXPECT_EQ(fr_wire_bits(7), 4);
    EXPECT_EQ(fr_wire_bits(8), 5);
    EXPECT_EQ(fr_wire_bits(15), 5);
    EXPECT_EQ(fr_wire_bits(31), 6);
    EXPECT_EQ(fr_wire_bits(63), 7);
    EXPECT_EQ(fr_wire_bits(64), 8);
    EXPECT_EQ(fr_wire_bits(127), 8);
}

TEST(Wire, SizesByHand) {
    EXPECT_EQ(fr_wire_most(FR_WIRE_INT8, 4000, 7), 4000u);
    EXPECT_EQ(fr_wire_most(FR_WIRE_PACKED, 4000, 1), 1000u);
    EXPECT_EQ(fr_wire_most(FR_WIRE_PACKED, 4000, 7), 2000u);
    EXPECT_EQ(fr_wire_most(FR_WIRE_PACKED, 4000, 15), 2500u);
    EXPECT_EQ(fr_wire_most(FR_WIRE_PACKED, 4000, 127), 4000u);
    EXPECT_EQ(fr_wire_most(FR_WIRE_PACKED, 11, 3), 5u);       /* 33 bits */
    EXPECT_EQ(fr_wire_most(FR_WIRE_ELIAS, 4000, 1), 1501u);   /* 4000 (2 + 1) + 1 bits */
    EXPECT_EQ(fr_wire_most(FR_WIRE_ELIAS, 4000, 127), 7501u); /* 4000 (2 + 13) + 1 bits */
    EXPECT_EQ(fr_wire_most(FR_WIRE_ELIAS, 0, 127), 1u);
    EXPECT_EQ(fr_wire_most(FR_WIRE_FULL, 100, 7), 0u);
}

TEST(Wire, PackedBitsByHand) {
    /* s = 3, three bits a level, each plus 3: 3 2 6 0 1 4 3 5 then 2, the first one lowest:
     * 101 011 100 001 000 110 010 011 = 0xae1193, then 010. */
    EXPECT_EQ(encoded(FR_WIRE_PACKED, {0, -1, 3, -3, -2, 1, 0, 2, -1}, 3), (Bytes{0x93, 0x11, 0xae, 0x02}));
    /* s = 127: a byte each, plus 127. */
    EXPECT_EQ(encoded(FR_WIRE_PACKED, {127, -127, 0, 1}, 127), (Bytes{254, 0, 127, 128}));
    EXPECT_EQ(encoded(FR_WIRE_INT8, {127, -127, 0, 1}, 127), (Bytes{127, 129, 0, 1}));
}

TEST(Wire, EliasWordsByHand) {
    /* Distances and levels that give each number a word of its own: a single level k at coordinate 1 of 1 is
     * Elias(1), sign, Elias(k), and Elias(1) for the end. */
    const struct {
        int level;
        const char *word;
    } words[] = {{1, "0"},
                 {2, "100"},
                 {3, "110"},
                 {4, "101000"},
                 {7, "101110"},
                 {8, "1110000"},
                 {15, "1111110"},
                 {16, "10100100000"},
                 {31, "10100111110"},
                 {32, "101011000000"},
                 {100, "1011011001000"},
                 {127, "1011011111110"}};
    for (const auto &w : words) {
        EXPECT_EQ(fr_elias_length(static_cast<uint64_t>(w.level)), static_cast<int>(std::string(w.word).size()));
        Levels one = {static_cast<int8_t>(w.level)}, minus = {static_cast<int8_t>(-w.level)};
        EXPECT_EQ(encoded(FR_WIRE_ELIAS, one, 127), bits(("0 0 " + std::string(w.word) + " 0").c_str())) << w.level;
        EXPECT_EQ(encoded(FR_WIRE_ELIAS, minus, 127), bits(("0 1 " + std::string(w.word) + " 0").c_str())) << w.level;
    }
    EXPECT_EQ(fr_elias_length(1000), 2 + 4 + 10 + 1);
    EXPECT_EQ(fr_elias_length(uint64_t(1) << 40), 53);
}

TEST(Wire, EliasMessagesByHand) {
    /* Two zeros, -2, three zeros, 1, one zero: distance 3, minus, 2; distance 4, plus, 1; distance 2 to the end. */
    EXPECT_EQ(encoded(FR_WIRE_ELIAS, {0, 0, -2, 0, 0, 0, 1, 0}, 3), bits("110 1 100 101000 0 0 100"));
    EXPECT_EQ(encoded(FR_WIRE_ELIAS, {}, 3), bits("0"));
    EXPECT_EQ(encoded(FR_WIRE_ELIAS, {0, 0, 0}, 3), bits("101000"));
    EXPECT_EQ(encoded(FR_WIRE_ELIAS, Levels(999, 0), 3), bits("11 1001 1111101000 0")); /* distance 1000 */
}

TEST(Wire, EveryLevelComesBackForEveryS) {
    for (fr_wire wire : WIRES)
        for (int s = 1; s <= 127; s++) {
            Levels levels;
            for (int level = -s; level <= s; level++) levels.push_back(static_cast<int8_t>(level));
            for (int i = 0; i < 9; i++, levels.push_back(0)) /* every place within the eight */
                ASSERT_EQ(wire_property::round_trip(wire, s, levels), nullptr) << fr_wire_name(wire) << " " << s;
        }
}

TEST(Wire, ConstantVectorsComeBackWithTheSizesProven) {
    for (int64_t count : COUNTS)
        for (int s : {1, 2, 3, 7, 8, 15, 31, 63, 64, 127})
            for (fr_wire wire : WIRES)
                for (int level : {0, s, -s}) {
                    Levels levels(static_cast<size_t>(count), static_cast<int8_t>(level));
                    ASSERT_EQ(wire_property::round_trip(wire, s, levels), nullptr) << fr_wire_name(wire) << s;
                    if (level) { /* the worst case of Elias is reached */
                        EXPECT_EQ(encoded(wire, levels, s).size(), fr_wire_most(wire, count, s));
                    }
                }
}

TEST(Wire, RandomVectorsOfAnyDensityComeBack) {
    oracle::Random random(11);
    for (int trial = 0; trial < 600; trial++) {
        int s = 1 + static_cast<int>(random.uniform() * 127);
        size_t count = static_cast<size_t>(random.uniform() * 3000);
        double density = trial % 3 == 0 ? 1 : trial % 3 == 1 ? 0.1 : 0.002;
        Levels levels(count, 0);
        for (int8_t &level : levels)
            if (random.uniform() < density) level = static_cast<int8_t>(random.uniform() * (2 * s + 1) - s);
        for (fr_wire wire : WIRES) ASSERT_EQ(wire_property::round_trip(wire, s, levels), nullptr) << trial;
    }
}

TEST(Wire, LevelsAboveSAreRefused) {
    for (fr_wire wire : WIRES)
        for (int s : {1, 5, 31, 62, 64, 100, 126}) { /* those that leave room in their bits */
            if (wire == FR_WIRE_PACKED && fr_wire_bits(s) != fr_wire_bits(s + 1)) continue;
            for (int sign : {1, -1})
                for (size_t at : {0u, 9u, 19u}) {
                    if (wire == FR_WIRE_PACKED && sign < 0) continue; /* -s - 1 plus s is no number */
                    Levels levels(20, 0);
                    levels[at] = static_cast<int8_t>(sign * (s + 1));
                    std::string line;
                    EXPECT_EQ(decoded(wire, encoded(wire, levels, s), 20, s, &line), FR_ERROR_DEVICE)
                        << fr_wire_name(wire) << " " << s << " " << sign << " " << at;
                    EXPECT_NE(line.find("above the most"), std::string::npos) << line;
                }
        }
    EXPECT_EQ(decoded(FR_WIRE_INT8, {0x80}, 1, 127), FR_ERROR_DEVICE);   /* -128 */
    EXPECT_EQ(decoded(FR_WIRE_PACKED, {0xff}, 1, 127), FR_ERROR_DEVICE); /* 255 is above 2 s */
}

TEST(Wire, WrongLengthsAreRefused) {
    Levels levels = {3, 0, -1, 0, 0, 2, 1, -3, 0, 0, 1};
    for (fr_wire wire : WIRES) {
        Bytes right = encoded(wire, levels, 3), longer = right, shorter = right;
        longer.push_back(0);
        shorter.pop_back();
        EXPECT_EQ(decoded(wire, right, 11, 3), FR_OK);
        EXPECT_EQ(decoded(wire, longer, 11, 3), FR_ERROR_DEVICE) << fr_wire_name(wire);
        EXPECT_EQ(decoded(wire, shorter, 11, 3), FR_ERROR_DEVICE) << fr_wire_name(wire);
        EXPECT_EQ(decoded(wire, {}, 11, 3), FR_ERROR_DEVICE) << fr_wire_name(wire);
        EXPECT_EQ(decoded(wire, right, 2, 3), FR_ERROR_DEVICE) << fr_wire_name(wire);
        EXPECT_EQ(decoded(wire, right, 40, 3), FR_ERROR_DEVICE) << fr_wire_name(wire);
    }
}

TEST(Wire, BitsAfterTheEndAreRefused) {
    Levels levels = {1, 0, -1};
    for (fr_wire wire : {FR_WIRE_PACKED, FR_WIRE_ELIAS}) {
        Bytes bytes = encoded(wire, levels, 3); /* 9 bits; 0 0 0, 100 1 0, 0 = 9 bits */
        ASSERT_EQ(bytes.size(), 2u);
        for (int bit = 0; bit < 7; bit++) {
            Bytes dirty = bytes;
            dirty[1] = static_cast<uint8_t>(dirty[1] ^ (wire == FR_WIRE_PACKED ? 128 >> bit : 1 << bit));
            std::string line;
            EXPECT_EQ(decoded(wire, dirty, 3, 3, &line), FR_ERROR_DEVICE) << fr_wire_name(wire) << bit;
            EXPECT_NE(line.find("bits are set after the"), std::string::npos) << line;
        }
    }
}

TEST(Wire, EliasNumbersOutOfAllBoundsAreRefused) {
    EXPECT_EQ(decoded(FR_WIRE_ELIAS, Bytes(100000, 0xff), 50, 127), FR_ERROR_DEVICE);
    EXPECT_EQ(decoded(FR_WIRE_ELIAS, bits("11 1111 1111111111111111 0"), 1000, 127), FR_ERROR_DEVICE);
    std::string line; /* distance 5 of 3 coordinates; 4 is the end */
    EXPECT_EQ(decoded(FR_WIRE_ELIAS, bits("101010"), 3, 127, &line), FR_ERROR_DEVICE);
    EXPECT_NE(line.find("beyond the last"), std::string::npos) << line;
}

TEST(Wire, OtherWiresAndRangesAreRefused) {
    EXPECT_EQ(decoded(FR_WIRE_FULL, {0}, 1, 7), FR_ERROR_USAGE);
    EXPECT_EQ(decoded(FR_WIRE_BF16, {0, 0}, 1, 7), FR_ERROR_USAGE);
    EXPECT_EQ(decoded(FR_WIRE_ELIAS, {0}, 0, 0), FR_ERROR_USAGE);
    EXPECT_EQ(decoded(FR_WIRE_PACKED, {0}, 1, 128), FR_ERROR_USAGE);
    EXPECT_EQ(fr_wire_decode(FR_WIRE_INT8, nullptr, 0, -1, 7, nullptr, nullptr), FR_ERROR_USAGE);
    EXPECT_EQ(fr_wire_decode(FR_WIRE_INT8, nullptr, 0, 0, 7, nullptr, nullptr), FR_OK);
    EXPECT_EQ(fr_wire_decode(FR_WIRE_PACKED, nullptr, 0, 0, 7, nullptr, nullptr), FR_OK);
}

/* Random messages, and good ones with bits turned, bytes cut off or put on; the property is wire_property.h's. */
TEST(Wire, RandomBytesNeverBreakADecoder) {
    oracle::Random random(12);
    int accepted = 0;
    for (int trial = 0; trial < 60000; trial++) {
        fr_wire wire = WIRES[trial % 3];
        int s = 1 + static_cast<int>(random.uniform() * 127), count = static_cast<int>(random.uniform() * 60);
        Levels levels(static_cast<size_t>(count), 0);
        for (int8_t &level : levels)
            if (random.uniform() < 0.3) level = static_cast<int8_t>(random.uniform() * (2 * s + 1) - s);
        Bytes message = encoded(wire, levels, s);
        if (trial % 5 == 0)
            for (uint8_t &byte : message) byte = static_cast<uint8_t>(random.uniform() * 256);
        for (int turned = trial % 4; turned > 0 && !message.empty(); turned--) {
            size_t at = static_cast<size_t>(random.uniform() * static_cast<double>(message.size()));
            message[at] = static_cast<uint8_t>(message[at] ^ 1 << static_cast<int>(random.uniform() * 8));
        }
        if (trial % 7 == 0 && !message.empty()) message.pop_back();
        if (trial % 11 == 0) message.push_back(static_cast<uint8_t>(trial));
        message.shrink_to_fit();
        ASSERT_EQ(wire_property::decode(wire, s, count, message), nullptr) << trial;
        accepted += decoded(wire, message, static_cast<size_t>(count), s) == FR_OK;
    }
    EXPECT_GT(accepted, 10000); /* both answers were met */
    EXPECT_LT(accepted, 50000);
}
