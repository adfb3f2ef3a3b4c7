/*
 * dataset_format_test.cpp - how files are understood: headers, comments, compression, number formats, limits.
 */
#include "scratch.h"

#include "packed.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <thread>

namespace {

using std::string;
using std::vector;

/* Keeps what a reading remarks. */
struct Remarks {
    string all;
    fr_read_options options{};
    Remarks() {
        options.user = this;
        options.remark = [](const char *line, void *user) {
            static_cast<Remarks *>(user)->all += string(line) + "\n";
        };
    }
};

/* ------------------------------------------------------------------------------------------ headers */

class Header : public Scratch, public Remarks {
  protected:
    /* Reads the text; the remarks of this reading alone are kept. */
    const string &file(const string &text) {
        all.clear();
        path = write("a.csv", text);
        return path;
    }
    string path;
    void remarks(const vector<string> &words) {
        for (const string &word : words) EXPECT_NE(all.find(word), string::npos) << word << " in: " << all;
        if (words.empty()) EXPECT_EQ(all, "");
    }
};

TEST_F(Header, PlainOnesAreNotRemarked) {
    Read(file("u,v,y\n1,2,3\n4,5,6\n"), options).expect(2, 2, {1, 2, 4, 5}, {3, 6});
    remarks({});
    Read(file("1,2,3\n4,5,6\n"), options).expect(2, 2, {1, 2, 4, 5}, {3, 6});
    remarks({});
    Read(file(",a,b\n1,2,3\n"), options).expect(1, 2, {1, 2}, {3});
    remarks({});
}

/* One odd word among numbers over a column of numbers: a row, and refused as one. */
TEST_F(Header, ARowWithOneOddWordIsNotDroppedInSilence) {
    for (const char *word : {"1D5", "2020-01-01", "1,5", "0x10", "abc", "12:30"}) {
        string row = string("\"") + word + "\",2,3\n2,1,4\n3,3,5\n4,2,8\n";
        Refusal(file(row), options).expect(FR_ERROR_DATA, {"a.csv:1: column 1"});
    }
    for (const char *word : {"<NA>", "--", "NaT", "NA", "", "nan", "#N/A", "#DIV/0!", "None"}) {
        string row = string(word) + ",2,3\n2,1,4\n3,3,5\n4,2,8\n";
        Refusal(file(row), options).expect(FR_ERROR_DATA, {"a.csv:1: column 1", "--missing drop"});
        options.missing = FR_MISSING_DROP;
        Read(file(row), options).expect(3, 2, {2, 1, 3, 3, 4, 2}, {4, 5, 8});
        remarks({"1 row left out"});
        options.missing = FR_MISSING_ERROR;
    }
    Refusal(file("x,2,3\n2,1,4\n"), options).expect(FR_ERROR_DATA, {"a.csv:1", "\"x\"", "--header yes"});
}

TEST_F(Header, NamesThatAreNumbersAreOutvoted) {
    Read(file("size,rooms,2020\n1,2,3\n4,5,6\n"), options).expect(2, 2, {1, 2, 4, 5}, {3, 6});
    remarks({"line 1 is taken for names of columns, though it has numbers", "--header no"});
    Refusal(file("year,2019,2020\n1,2,3\n"), options).expect(FR_ERROR_DATA, {"a.csv:1", "\"year\"", "--header yes"});
    options.header = FR_HEADER_YES;
    Read(file("year,2019,2020\n1,2,3\n"), options).expect(1, 2, {1, 2}, {3});
    remarks({});
}

/* The word stands in a column that is not read: the line is a row. */
TEST_F(Header, AWordOverWordsIsARow) {
    options.without_labels = true;
    options.features = 2;
    options.label_column = "3";
    Read(file("1,2,no\n3,4,yes\n"), options).expect(2, 2, {1, 2, 3, 4}, {});
    remarks({"line 1 is taken for a row"});
}

TEST_F(Header, NumbersOfColumnsAsPandasWritesThem) {
    Read(file("0,1,2\n2,2,6\n3,3,9\n"), options).expect(2, 2, {2, 2, 3, 3}, {6, 9});
    remarks({"line 1 is 0, 1, 2, ... and taken for numbers of columns", "--header no"});
    Read(file("0,1\n2,2\n"), options).expect(2, 1, {0, 2}, {1, 2});
    remarks({});
    Read(file("0,1,2\n2,2,6\n0,1,2\n"), options).expect(3, 2, {0, 1, 2, 2, 0, 1}, {2, 6, 2});
    remarks({"line 1 is 0, 1, 2, ... and taken for a row", "--header yes"});
    Read(file("0,1,2\n"), options).expect(1, 2, {0, 1}, {2});
    for (const char *other : {"0,1,3\n2,2,6\n", "0,1,2.0\n2,2,6\n", "1,2,3\n2,2,6\n", "0.0,1,2\n2,2,6\n"}) {
        Read(file(other), options)
            .expect(2, 2, {other[0] - '0' + 0.0, other[0] == '1' ? 2.0 : 1.0, 2, 2},
                    {other[0] == '1' || other[4] == '3' ? 3.0 : 2.0, 6});
        remarks({});
    }
    options.header = FR_HEADER_NO;
    Read(file("0,1,2\n2,2,6\n"), options).expect(2, 2, {0, 1, 2, 2}, {2, 6});
    remarks({});
}

TEST_F(Header, YesAndNoAreObeyed) {
    options.header = FR_HEADER_YES;
    Read(file("1,2,3\n4,5,6\n"), options).expect(1, 2, {4, 5}, {6});
    Refusal(file("1,2,3\n"), options).expect(FR_ERROR_DATA, {"header and no rows"});
    options.header = FR_HEADER_NO;
    Refusal(file("u,v,y\n1,2,3\n"), options)
        .expect(FR_ERROR_DATA, {"a.csv:1: column 1: found \"u\", expected a number"});
}

TEST_F(Header, OfALabelsFile) {
    string labels = write("y.txt", "price\n7\n8\n");
    options.labels = labels.c_str();
    Read(file("1,2\n3,4\n"), options).expect(2, 2, {1, 2, 3, 4}, {7, 8});
    options.header = FR_HEADER_YES;
    write("y.txt", "5\n7\n8\n");
    Read(file("a,b\n1,2\n3,4\n"), options).expect(2, 2, {1, 2, 3, 4}, {7, 8});
    options.header = FR_HEADER_NO;
    write("y.txt", "price\n7\n");
    Refusal(file("1,2\n3,4\n"), options).expect(FR_ERROR_DATA, {"y.txt:1", "\"price\"", "one label"});
    options.header = FR_HEADER_AUTO;
    write("y.txt", "1D5\n7\n");
    Refusal(file("1,2\n3,4\n"), options).expect(FR_ERROR_DATA, {"1 labels", "expected 2"});
}

/* ----------------------------------------------------------------------------------------- comments */

TEST_F(Header, CommentsEndWhereTheRowsBegin) {
    Read(file("# 1\nu,y\n# 2\n\n1,2\n3,4\n"), options).expect(2, 1, {1, 3}, {2, 4});
    Refusal(file("1,2\n# note\n3,4\n"), options)
        .expect(FR_ERROR_DATA, {"a.csv:2", "starts with #", "before the first row"});
    Refusal(file("1,2\n3,4\n#N/A,4\n"), options).expect(FR_ERROR_DATA, {"a.csv:3: column 1: found \"#N/A\""});
    Refusal(file("1,2\n#DIV/0!,4\n3,4\n"), options).expect(FR_ERROR_DATA, {"a.csv:2: column 1: found \"#DIV/0!\""});
    Refusal(file("#DIV/0!,4\n3,4\n"), options).expect(FR_ERROR_DATA, {"a.csv:1: column 1: found \"#DIV/0!\""});
    string labels = write("y.txt", "# note\n1\n#N/A\n");
    options.labels = labels.c_str();
    Refusal(file("1\n2\n"), options).expect(FR_ERROR_DATA, {"y.txt:3", "\"#N/A\""});
}

/* -------------------------------------------------------------------------------- optional labels */

class OptionalLabels : public Header {
  protected:
    OptionalLabels() {
        options.labels_optional = true;
        options.features = 2;
    }
};

TEST_F(OptionalLabels, TheNumberOfColumnsTells) {
    Read(file("1,2,3\n4,5,6\n"), options).expect(2, 2, {1, 2, 4, 5}, {3, 6});
    Read(file("1,2\n4,5\n"), options).expect(2, 2, {1, 2, 4, 5}, {});
    remarks({});
    Refusal(file("1,2,3,4\n"), options)
        .expect(FR_ERROR_DATA, {"found 4 columns", "2 features (and at most a label)"});
    options.label_column = "1";
    Read(file("1,2,3\n4,5,6\n"), options).expect(2, 2, {2, 3, 5, 6}, {1, 4});
    Refusal(file("1,2\n"), options).expect(FR_ERROR_DATA, {"2 columns"});
}

TEST_F(OptionalLabels, AreLeftAsideWhereOneIsNone) {
    for (fr_missing_rule rule : {FR_MISSING_ERROR, FR_MISSING_DROP, FR_MISSING_MEAN}) {
        options.missing = rule;
        for (const char *label : {"unknown", "", "nan", "1e200"}) {
            Read(file(string("1,2,3\n4,5,") + label + "\n6,7,8\n"), options).expect(3, 2, {1, 2, 4, 5, 6, 7}, {});
            remarks({"labels are left aside, since line 2"});
        }
    }
}

TEST_F(OptionalLabels, OfTheOtherFormats) {
    Read(write("a.npy", npy<double>("<f8", "(1, 2)", {1, 2})), options).expect(1, 2, {1, 2}, {});
    Read(write("a.svm", "3 1:1 2:2\n4 2:1\n"), options).expect(2, 2, {1, 2, 0, 1}, {3, 4});
    Read(write("a.svm", "1:1 2:2\n4 2:1\n"), options).expect(2, 2, {1, 2, 0, 1}, {});
    Read(write("a.svm", "3 1:1 2:2\nnan 2:1\n"), options).expect(2, 2, {1, 2, 0, 1}, {});
#ifdef FR_HAVE_LIBZIP
    Entry x{"X.npy", npy<double>("<f8", "(1, 2)", {1, 2})}, y{"y.npy", npy<double>("<f8", "(1,)", {9})};
    Read(archive("a.npz", {x}, true), options).expect(1, 2, {1, 2}, {});
    Read(archive("a.npz", {x, y}, true), options).expect(1, 2, {1, 2}, {9});
#endif
}

/* --------------------------------------------------------------------------------------- compressed */

class Packed : public Header {};

TEST_F(Packed, EveryKindOfFileReadsTheSame) {
    fr_read_options bare{};
    bare.without_labels = true;
    vector<double> numbers;
    for (int i = 0; i < 9000; i++) numbers.push_back(i * 0.5);
    string csv = "u,v,y\n", svm;
    for (int i = 0; i < 9000; i += 3) {
        csv += std::to_string(i) + ",2," + std::to_string(i % 7) + "\n";
        svm += std::to_string(i % 7) + " 1:" + std::to_string(i + 1) + " 3:2\n";
    }
    for (const auto &[name, bytes] : {std::pair<string, string>{"a.csv", csv},
                                      {"a.svm", svm},
                                      {"a.npy", npy<double>("<f8", "(3000, 3)", numbers)},
                                      {"b.npy", npy<double>("<f8", "(3000, 3)", numbers, true)}}) {
        bool labels = name.find("npy") == string::npos;
        Read plain(write(name, bytes), labels ? fr_read_options{} : bare);
        ASSERT_NE(plain.set, nullptr);
        for (const string &packed : packings(bytes)) {
            Read read(write(name + ".gz", packed), labels ? fr_read_options{} : bare);
            ASSERT_NE(read.set, nullptr);
            ASSERT_EQ(read.set->samples, plain.set->samples);
            size_t size = (size_t)(plain.set->samples * plain.set->features) * sizeof(double);
            EXPECT_EQ(memcmp(read.set->rows, plain.set->rows, size), 0);
            if (labels) EXPECT_EQ(memcmp(read.set->labels, plain.set->labels, (size_t)plain.set->samples * 8), 0);
        }
    }
}

TEST_F(Packed, LabelsAndPipes) {
    for (const string &packed : packings("7\n8\n")) {
        string labels = write("y.gz", packed);
        options.labels = labels.c_str();
        Read(file("1,2\n3,4\n"), options).expect(2, 2, {1, 2, 3, 4}, {7, 8});
        options.labels = nullptr;
    }
    for (const string &packed : packings("1,2\n3,4\n")) {
        unlink(at("pipe").c_str());
        ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
        std::thread writer([&] { write("pipe", packed); });
        Read read(at("pipe"));
        writer.join();
        read.expect(2, 1, {1, 3}, {2, 4});
    }
}

TEST_F(Packed, DamageAndArchivesInsideAreRefused) {
    string csv;
    for (int i = 0; i < 3000; i++) csv += std::to_string(i) + "," + std::to_string(i * i) + "\n";
    for (string packed : packings(csv)) {
        Refusal(write("a.csv.gz", packed.substr(0, packed.size() / 2)), options)
            .expect(FR_ERROR_DATA, {"a.csv.gz", "damaged"});
        packed[packed.size() / 3] ^= 8;
        Refusal(write("a.csv.gz", packed), options).expect(FR_ERROR_DATA, {"a.csv.gz"});
    }
    for (const string &packed : packings("PK\3\4 and so on"))
        Refusal(write("a.npz.gz", packed), options).expect(FR_ERROR_DATA, {"NPZ archive inside", "decompress"});
    for (const string &packed : packings(""))
        Refusal(write("a.gz", packed), options).expect(FR_ERROR_DATA, {"is empty"});
}

#ifndef FR_HAVE_ZLIB
TEST_F(Packed, WithoutZlibTheReasonIsTold) {
    Refusal(write("a.gz", "\x1f\x8b\x08 and so on"), options).expect(FR_ERROR, {"built without zlib"});
}
#endif
#ifndef FR_HAVE_ZSTD
TEST_F(Packed, WithoutZstdTheReasonIsTold) {
    Refusal(write("a.zst", "\x28\xb5\x2f\xfd and so on"), options).expect(FR_ERROR, {"built without libzstd"});
}
#endif

/* -------------------------------------------------------------------------------------------- arrays */

class ArrayFormat : public Scratch {
  protected:
    static fr_read_options rows_only() {
        fr_read_options options{};
        options.without_labels = true;
        return options;
    }
    /* The bytes of each value turned round. */
    template <typename Value>
    static string big_endian(const string &dtype, const string &shape, const vector<Value> &values,
                             bool fortran = false) {
        string bytes = npy<Value>(dtype, shape, values, fortran);
        for (size_t at = bytes.size() - values.size() * sizeof(Value); at < bytes.size(); at += sizeof(Value))
            std::reverse(bytes.begin() + (long)at, bytes.begin() + (long)(at + sizeof(Value)));
        return bytes;
    }
};

TEST_F(ArrayFormat, BigEndianOfEveryKind) {
    Read(write("a", big_endian<double>(">f8", "(1, 2)", {0.1, -1e100})), rows_only()).expect(1, 2, {0.1, -1e100}, {});
    Read(write("a", big_endian<float>(">f4", "(1, 2)", {0.5f, -3})), rows_only()).expect(1, 2, {0.5, -3}, {});
    Read(write("a", big_endian<int64_t>(">i8", "(1, 2)", {-5, 7})), rows_only()).expect(1, 2, {-5, 7}, {});
    Read(write("a", big_endian<int32_t>(">i4", "(1, 2)", {-5, 7})), rows_only()).expect(1, 2, {-5, 7}, {});
    Read(write("a", big_endian<int16_t>(">i2", "(1, 2)", {-5, 7})), rows_only()).expect(1, 2, {-5, 7}, {});
    Read(write("a", big_endian<uint64_t>(">u8", "(1, 2)", {5, 7})), rows_only()).expect(1, 2, {5, 7}, {});
    Read(write("a", big_endian<uint32_t>(">u4", "(1, 2)", {5, UINT32_MAX})), rows_only())
        .expect(1, 2, {5, 4294967295.0}, {});
    Read(write("a", big_endian<uint16_t>(">u2", "(1, 2)", {5, 65535})), rows_only()).expect(1, 2, {5, 65535}, {});
    Read(write("a", npy<int8_t>(">i1", "(1, 2)", {-5, 7})), rows_only()).expect(1, 2, {-5, 7}, {});
    Read(write("a", big_endian<double>(">f8", "(2, 2)", {1, 2, 3, 4}, true)), rows_only())
        .expect(2, 2, {1, 3, 2, 4}, {});
    vector<double> many, turned;
    for (int i = 0; i < 5000; i++) many.push_back(i);
    Read(write("a", big_endian<double>(">f8", "(2500, 2)", many)), rows_only()).expect(2500, 2, many, {});
}

TEST_F(ArrayFormat, HalfPrecision) {
    vector<uint16_t> bits = {0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x8000, 0x03ff, 0x0400};
    vector<double> values = {
        1, -2, 0.333251953125, 65504, std::ldexp(1, -24), -0.0, 1023 * std::ldexp(1, -24), std::ldexp(1, -14)};
    Read(write("a", npy<uint16_t>("<f2", "(4, 2)", bits)), rows_only()).expect(4, 2, values, {});
    Read(write("a", big_endian<uint16_t>(">f2", "(4, 2)", bits)), rows_only()).expect(4, 2, values, {});
    Refusal(write("a", npy<uint16_t>("<f2", "(1, 2)", {0x3c00, 0x7c00})), rows_only())
        .expect(FR_ERROR_DATA, {"X[0,1] is inf"});
    Refusal(write("a", npy<uint16_t>("<f2", "(1, 2)", {0x7e00, 0})), rows_only())
        .expect(FR_ERROR_DATA, {"X[0,0] is nan"});
}

#ifdef FR_HAVE_LIBZIP
TEST_F(ArrayFormat, TheSameInsideAnArchive) {
    Entry x{"X.npy", big_endian<float>(">f4", "(2, 2)", {1, 2, 3, 4}, true)};
    Entry y{"y.npy", npy<uint16_t>("<f2", "(2,)", {0x3c00, 0x4000})};
    for (bool deflate : {false, true}) Read(archive("a.npz", {x, y}, deflate)).expect(2, 2, {1, 3, 2, 4}, {1, 2});
}

TEST_F(ArrayFormat, AnArchiveFromAPipe) {
    string path = archive(
        "a.npz", {{"X.npy", npy<double>("<f8", "(1, 2)", {1, 2})}, {"y.npy", npy<double>("<f8", "(1,)", {9})}}, true);
    string bytes = read("a.npz");
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    std::thread writer([&] { write("pipe", bytes); });
    Read got(at("pipe"));
    writer.join();
    got.expect(1, 2, {1, 2}, {9});
}
#endif

/* -------------------------------------------------------------------------------------------- limits */

TEST_F(Header, NumbersWhoseSquaresOverflowAreNamed) {
    for (const char *number : {"1e160", "-1e200", "1.1e150", "1e308"}) {
        Refusal(file(string("u,v,y\n1,2,3\n1,") + number + ",3\n"), options)
            .expect(FR_ERROR_DATA, {"a.csv:3: column 2 (\"v\")", number, "from -1e150 to 1e150"});
        Refusal(file(string("1,2,3\n1,2,") + number + "\n"), options)
            .expect(FR_ERROR_DATA, {"a.csv:2: column 3", "1e150"});
        Refusal(write("a.svm", string("1 1:2\n1 1:") + number + "\n"), options)
            .expect(FR_ERROR_DATA, {"a.svm:2", number, "1e150"});
    }
    Read(file("1e150,2\n1,-1e150\n"), options).expect(2, 1, {1e150, 1}, {2, -1e150});
    Refusal(write("a.npy", npy<double>("<f8", "(1, 2)", {1, 1e160})),
            [] {
                fr_read_options o{};
                o.without_labels = true;
                return o;
            }())
        .expect(FR_ERROR_DATA, {"X[0,1] is 1e+160", "1e150"});
    double rows[] = {1, 1e160}, labels[] = {1};
    fr_dataset *set = nullptr;
    fr_error error{};
    EXPECT_EQ(fr_dataset_from_arrays(1, 2, rows, labels, FR_F64, &set, &error), FR_ERROR_DATA);
    EXPECT_NE(strstr(error.message, "X[0,1] is 1e+160"), nullptr) << error.message;
}

TEST_F(Header, ExponentsOfAnySizeAreOutOfRangeAndNotZero) {
    for (const char *number : {"1e9223372036854775807", "1e9223372036854775808", "1e99999999999999999999999",
                               "0.01e9223372036854775807", "-1e4611686018427387904"})
        Refusal(file(string("1,2\n") + number + ",3\n"), options)
            .expect(FR_ERROR_DATA, {"a.csv:2: column 1", "finite"});
    for (const char *number : {"1e-9223372036854775807", "1e-9223372036854775808", "100e-99999999999999999999"})
        Read(file(string("1,2\n") + number + ",3\n"), options).expect(2, 1, {1, 0}, {2, 3});
}

/* A few bytes of text must not make gigabytes of rows. */
TEST_F(Header, AnIndexThatTheFileDoesNotWarrantIsRefusedBeforeMemoryIsTaken) {
    Refusal(write("a.svm", "1 1:1 30000000:1\n2 1:1\n3 1:1\n"), options)
        .expect(FR_ERROR_DATA, {"index 30000000", "out of 29 bytes"});
    string sparse;
    for (int i = 0; i < 300; i++) sparse += "1 " + std::to_string(i + 1) + ":1 1000:2\n";
    Read read(write("a.svm", sparse));
    ASSERT_NE(read.set, nullptr);
    EXPECT_EQ(read.set->features, 1000);
    fr_read_options expected{};
    expected.features = 10000000;
    Read wide(write("a.svm", "1 1:1\n"), expected); /* what the caller asks for is */
}

/* Headers that promise more than there is cost a line and no memory. */
TEST_F(ArrayFormat, CompressedArraysAreMeasuredBeforeTheyAreBelieved) {
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (const string &packed : packings(npy<double>("<f8", "(100000000, 2)", {1, 2})))
        Refusal(write("a.npy.gz", packed), rows_only()).expect(FR_ERROR_DATA, {"truncated", "found 16"});
#ifdef FR_HAVE_LIBZIP
    string path = archive("a.npz", {{"X.npy", npy<double>("<f8", "(100000000, 2)", {1, 2})}}, false);
    string bytes = read("a.npz");
    size_t entry = bytes.rfind("PK\1\2"); /* its size, as the directory of the archive tells it */
    ASSERT_NE(entry, string::npos);
    const uint32_t claim = 1600000128;
    memcpy(bytes.data() + entry + 24, &claim, sizeof claim);
    Refusal(write("a.npz", bytes), rows_only()).expect(FR_ERROR_DATA, {"a.npz"});
#endif
    getrusage(RUSAGE_SELF, &after);
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 400 * 1024) << "kilobytes";
}

} // namespace
