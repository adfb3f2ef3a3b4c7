/*
 * dataset_test.cpp - data sets from arrays, NPY and NPZ, and what is written reads back.
 */
#include "scratch.h"

#include <cmath>

extern "C" {
#include "data/planted.h"
}

namespace {

using std::vector;

class Npy : public Scratch {
  protected:
    /* Reads X with labels 0, 1, 2, ... from a file beside it. */
    std::string labels_name;
    fr_read_options with_labels(int64_t count, fr_precision precision = FR_F64) {
        std::string text;
        for (int64_t i = 0; i < count; i++) text += std::to_string(i) + "\n";
        labels_name = write("labels.txt", text);
        fr_read_options options{};
        options.labels = labels_name.c_str();
        options.precision = precision;
        return options;
    }
    static fr_read_options rows_only(fr_precision precision = FR_F64) {
        fr_read_options options{};
        options.without_labels = true;
        options.precision = precision;
        return options;
    }
};

/* ---------------------------------------------------------------------------------- NPY, accepted */

template <typename Value> void check_dtype(const std::string &path, const char *dtype, Value a, Value b) {
    std::ofstream(path, std::ios::binary) << npy<Value>(dtype, "(1, 2)", {a, b});
    fr_read_options options{};
    options.without_labels = true;
    Read(path, options).expect(1, 2, {(double)a, (double)b}, {});
}

TEST_F(Npy, EveryDtypeIsConverted) {
    check_dtype<double>(at("a"), "<f8", 0.1, -1e150);
    check_dtype<float>(at("a"), "<f4", 0.1f, -1e30f);
    check_dtype<int8_t>(at("a"), "|i1", -128, 127);
    check_dtype<uint8_t>(at("a"), "|u1", 0, 255);
    check_dtype<uint8_t>(at("a"), "|b1", 0, 1);
    check_dtype<int16_t>(at("a"), "<i2", -32768, 32767);
    check_dtype<uint16_t>(at("a"), "<u2", 0, 65535);
    check_dtype<int32_t>(at("a"), "<i4", INT32_MIN, INT32_MAX);
    check_dtype<uint32_t>(at("a"), "<u4", 0, UINT32_MAX);
    check_dtype<int64_t>(at("a"), "<i8", -5, INT64_C(1) << 53);
    check_dtype<uint64_t>(at("a"), "<u8", 7, UINT64_C(1) << 63);
}

TEST_F(Npy, EveryHeaderVersion) {
    for (int version : {1, 2, 3})
        Read(write("a.npy", npy<double>("<f8", "(2, 1)", {1, 2}, false, version)), with_labels(2))
            .expect(2, 1, {1, 2}, {0, 1});
}

TEST_F(Npy, HeaderKeysInAnyOrderAndQuote) {
    std::string values("\1\2", 2);
    for (const char *text : {"{\"shape\": (1, 2), 'fortran_order': False, 'descr': '|u1'}",
                             "{'shape':(1L,2L,),'descr':'|u1','fortran_order':False,}",
                             "{ 'fortran_order' : False , 'shape' : ( 1 , 2 ) , 'descr' : '|u1' , }"})
        Read(write("a", npy_header(text) + values), rows_only()).expect(1, 2, {1, 2}, {});
}

TEST_F(Npy, FortranOrderIsTransposed) {
    Read(write("a", npy<double>("<f8", "(2, 3)", {1, 4, 2, 5, 3, 6}, true)), rows_only())
        .expect(2, 3, {1, 2, 3, 4, 5, 6}, {});
    vector<int32_t> values; /* more than a block, so that columns cross blocks */
    vector<double> expected(700 * 5);
    for (int j = 0; j < 5; j++)
        for (int i = 0; i < 700; i++) {
            values.push_back(1000 * j + i);
            expected[(size_t)(i * 5 + j)] = 1000 * j + i;
        }
    Read(write("a", npy<int32_t>("<i4", "(700, 5)", values, true)), rows_only(FR_F32)).expect(700, 5, expected, {});
    std::string y = write("y.npy", npy<double>("<f8", "(2,)", {8, 9}, true));
    fr_read_options options{};
    options.labels = y.c_str();
    Read(write("a", npy<double>("<f8", "(2, 1)", {1, 2})), options).expect(2, 1, {1, 2}, {8, 9});
}

/* ----------------------------------------------------------------------------------- NPY, refused */

TEST_F(Npy, LabelsMustComeFromAFile) {
    Refusal(write("a.npy", npy<double>("<f8", "(1, 1)", {1}))).expect(FR_ERROR_USAGE, {"a.npy", "--labels FILE"});
}

TEST_F(Npy, OtherDtypesAreNamed) {
    auto refused = [&](const char *dtype, const char *word) {
        Refusal(write("a.npy", npy<double>(dtype, "(1, 1)", {1})), rows_only())
            .expect(FR_ERROR_DATA, {"a.npy", word, "float64"});
    };
    refused("|O", "object dtype");
    refused("<c8", "complex dtype");
    refused("<c16", "complex dtype");
    refused("|S8", "string dtype");
    refused("<U4", "string dtype");
    refused("<f16", "unsupported dtype");
    refused("<M8[ns]", "unsupported dtype");
    refused("", "unsupported dtype");
    refused("<f", "unsupported dtype");
    std::string structured = npy_header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1, 1), }");
    Refusal(write("a.npy", structured + "12345678"), rows_only()).expect(FR_ERROR_DATA, {"structured dtype"});
}

TEST_F(Npy, TruncatedFileNamesBytesFoundAndExpected) {
    std::string whole = npy<double>("<f8", "(3, 2)", {1, 2, 3, 4, 5, 6});
    Refusal(write("a.npy", whole.substr(0, whole.size() - 5)), rows_only())
        .expect(FR_ERROR_DATA, {"a.npy", "truncated", "found 43", "expected 48"});
    Refusal(write("a.npy", whole + "x"), rows_only())
        .expect(FR_ERROR_DATA, {"more values", "found 49", "expected 48"});
    for (size_t size = 0; size < whole.size(); size++)
        Refusal(write("a.npy", whole.substr(0, size)), rows_only()).expect(FR_ERROR_DATA, {"a.npy"});
}

TEST_F(Npy, ShapesThatAreNoMatrix) {
    auto refused = [&](const char *shape, vector<std::string> words) {
        Refusal(write("a.npy", npy<double>("<f8", shape, {1, 2})), rows_only()).expect(FR_ERROR_DATA, words);
    };
    refused("(2,)", {"shape (2,)", "expected 2-D"});
    refused("()", {"shape ()"});
    refused("(1, 2, 1)", {"more than 2 dimensions"});
    refused("(0, 2)", {"empty", "(0, 2)"});
    refused("(2, 0)", {"empty", "(2, 0)"});
    refused("(-1, 2)", {"damaged", "shape"});
    refused("(4294967296, 4294967296)", {"(4294967296, 4294967296)", "larger than any file"});
    refused("(4611686018427387904, 2)", {"larger than any file"});
    refused("(99999999999999999999, 2)", {"damaged", "shape"});
    refused("(1000000, 1000000)", {"truncated", "found 16", "expected 8000000000000"});
    refused("(1 2)", {"damaged", "shape"});
    refused("1, 2", {"damaged", "shape"});
}

TEST_F(Npy, DamagedHeaders) {
    for (const char *text :
         {"", "{}", "{'descr': '<f8'}", "{'descr': '<f8', 'descr': '<f8', 'shape': (1, 1), 'fortran_order': False}",
          "{'descr': '<f8', 'shape': (1, 1), 'fortran_order': Maybe}", "{'descr': '<f8' 'shape': (1, 1)}",
          "{'descr': 8, 'shape': (1, 1), 'fortran_order': False}", "{'what': 1}", "{'descr': '<f8", "{'descr"})
        Refusal(write("a.npy", npy_header(text) + "12345678"), rows_only())
            .expect(FR_ERROR_DATA, {"a.npy", "damaged NPY header"});
    std::string version = npy<double>("<f8", "(1, 1)", {1});
    version[6] = 9;
    Refusal(write("a.npy", version), rows_only()).expect(FR_ERROR_DATA, {"version 9.0"});
    version[6] = 2;
    version[10] = version[11] = '\x7f';
    Refusal(write("a.npy", version), rows_only()).expect(FR_ERROR_DATA, {"NPY header of"});
    Refusal(write("a.npy", "1,2\n3,4\n"), rows_only()).expect(FR_ERROR_DATA, {"a.npy", "NUMPY"});
}

TEST_F(Npy, NanAndInfinityNameRowAndColumn) {
    Refusal(write("a.npy", npy<double>("<f8", "(2, 2)", {1, 2, NAN, 4})), rows_only())
        .expect(FR_ERROR_DATA, {"X[1,0] is nan", "finite"});
    Refusal(write("a.npy", npy<double>("<f8", "(2, 2)", {1, 2, -INFINITY, 4}, true)), rows_only())
        .expect(FR_ERROR_DATA, {"X[0,1] is -inf", "finite"});
    Refusal(write("a.npy", npy<double>("<f8", "(1, 2)", {1, 1e39})), rows_only(FR_F32))
        .expect(FR_ERROR_DATA, {"X[0,1] is 1e+39", "float32"});
    std::string y = write("y.npy", npy<float>("<f4", "(2,)", {1, NAN}));
    fr_read_options options{};
    options.labels = y.c_str();
    Refusal(write("a.npy", npy<double>("<f8", "(2, 1)", {1, 2})), options)
        .expect(FR_ERROR_DATA, {"y.npy", "y[1] is nan"});
}

TEST_F(Npy, LabelsOfAnotherShape) {
    fr_read_options options{};
    std::string x = write("a.npy", npy<double>("<f8", "(3, 1)", {1, 2, 3})), y = at("y.npy");
    options.labels = y.c_str();
    write("y.npy", npy<double>("<f8", "(2,)", {1, 2}));
    Refusal(x, options).expect(FR_ERROR_DATA, {"y.npy", "2 values", "expected 3"});
    write("y.npy", npy<double>("<f8", "(1, 3)", {1, 2, 3}));
    Refusal(x, options).expect(FR_ERROR_DATA, {"y.npy", "shape (1, 3)", "expected (3,)"});
    write("y.npy", npy<double>("<f8", "(3,)", {1, 2}));
    Refusal(x, options).expect(FR_ERROR_DATA, {"y.npy", "truncated", "found 16", "expected 24"});
    write("y.npy", "1\n2\n3\n");
    Refusal(x, options).expect(FR_ERROR_DATA, {"y.npy", "NUMPY"});
    options = rows_only();
    options.features = 5;
    Refusal(x, options).expect(FR_ERROR_DATA, {"1 features", "expected 5"});
    options.features = 0;
    options.label_column = "1";
    Refusal(x, options).expect(FR_ERROR_USAGE, {"--label-column"});
}

/* ------------------------------------------------------------------------------------------ arrays */

TEST(Arrays, AreCopiedCheckedAndFreed) {
    double x[] = {1, 2, 3, 4, 5, 6}, y[] = {7, 8};
    fr_dataset *set = nullptr;
    fr_error error{};
    for (fr_precision precision : {FR_F64, FR_F32}) {
        ASSERT_EQ(fr_dataset_from_arrays(2, 3, x, y, precision, &set, &error), FR_OK) << error.message;
        EXPECT_EQ(fr_dataset_value(set, 1, 2), 6);
        EXPECT_EQ(fr_dataset_label(set, 1), 8);
        fr_dataset_free(set);
    }
    ASSERT_EQ(fr_dataset_from_arrays(2, 3, x, nullptr, FR_F64, &set, &error), FR_OK);
    EXPECT_EQ(set->labels, nullptr);
    fr_dataset_free(set);
    fr_dataset_free(nullptr);
    y[1] = INFINITY;
    EXPECT_EQ(fr_dataset_from_arrays(2, 3, x, y, FR_F64, &set, &error), FR_ERROR_DATA);
    EXPECT_NE(strstr(error.message, "y[1] is inf"), nullptr) << error.message;
    EXPECT_EQ(set, nullptr);
    x[4] = 1e39;
    EXPECT_EQ(fr_dataset_from_arrays(2, 3, x, nullptr, FR_F32, &set, &error), FR_ERROR_DATA);
    EXPECT_NE(strstr(error.message, "X[1,1] is 1e+39, expected a number within the range of float32"), nullptr)
        << error.message;
    EXPECT_EQ(fr_dataset_from_arrays(0, 3, x, nullptr, FR_F64, &set, &error), FR_ERROR_DATA);
    EXPECT_EQ(fr_dataset_from_arrays(INT64_MAX, 3, x, nullptr, FR_F64, &set, &error), FR_ERROR_DATA);
    EXPECT_EQ(fr_dataset_from_arrays(INT64_C(1) << 50, 3, x, nullptr, FR_F64, &set, &error), FR_ERROR);
    EXPECT_EQ(set, nullptr);
}

/* ----------------------------------------------------------------------------------------- writing */

class Write : public Scratch {
  protected:
    fr_error error{};
    fr_dataset *set = nullptr;
    void make(fr_precision precision, bool labels = true) {
        double x[] = {0.1, 2, -3e10, 4, 5, 1e-30}, y[] = {0.7, 8};
        fr_dataset_free(set);
        ASSERT_EQ(fr_dataset_from_arrays(2, 3, x, labels ? y : nullptr, precision, &set, &error), FR_OK);
    }
    void plant() { set->planted = (double *)calloc(3, sizeof(double)), set->planted[1] = 1.0 / 3; }
    void TearDown() override {
        fr_dataset_free(set);
        Scratch::TearDown();
    }
    void expect_same(const std::string &path, const fr_read_options &options) {
        Read back(path, options);
        ASSERT_NE(back.set, nullptr);
        size_t bytes = fr_precision_bytes(set->precision);
        EXPECT_EQ(memcmp(back.set->rows, set->rows, 6 * bytes), 0);
        EXPECT_EQ(memcmp(back.set->labels, set->labels, 2 * bytes), 0);
    }
};

TEST_F(Write, NpyFilesReadBackExactly) {
    for (fr_precision precision : {FR_F64, FR_F32}) {
        make(precision);
        plant();
        ASSERT_EQ(fr_dataset_write(set, at("a.npy").c_str(), &error), FR_OK) << error.message;
        EXPECT_EQ(names().size(), 3u);
        std::string labels = at("a-labels.npy");
        fr_read_options options{};
        options.labels = labels.c_str();
        options.precision = precision;
        expect_same(at("a.npy"), options);
        std::string file = read("a.npy");
        EXPECT_EQ(file.size(), 128 + 6 * fr_precision_bytes(precision));
        EXPECT_NE(file.find(precision == FR_F32 ? "'<f4'" : "'<f8'"), std::string::npos);
        EXPECT_NE(file.find("'shape': (2, 3), }"), std::string::npos);
        EXPECT_EQ(file[127], '\n');
        EXPECT_NE(read("a-labels.npy").find("'shape': (2,), }"), std::string::npos);
        std::string planted = read("a-planted.npy");
        ASSERT_EQ(planted.size(), 128u + 24);
        EXPECT_EQ(memcmp(planted.data() + 128, set->planted, 24), 0);
    }
    make(FR_F64, false);
    ASSERT_EQ(fr_dataset_write(set, at("rows").c_str(), &error), FR_OK) << error.message;
    EXPECT_EQ(names().size(), 4u);
}

TEST_F(Write, AllOrNothing) {
    make(FR_F64);
    ASSERT_EQ(mkdir(at("a-labels.npy").c_str(), 0700), 0);
    EXPECT_EQ(fr_dataset_write(set, at("a.npy").c_str(), &error), FR_ERROR);
    EXPECT_NE(strstr(error.message, "a-labels.npy: Is a directory"), nullptr) << error.message;
    EXPECT_EQ(names(), vector<std::string>{"a-labels.npy"});
    rmdir(at("a-labels.npy").c_str());
    EXPECT_EQ(fr_dataset_write(set, at("none/a.npy").c_str(), &error), FR_ERROR);
    EXPECT_EQ(fr_dataset_write(set, at("a.csv").c_str(), &error), FR_ERROR_USAGE);
    EXPECT_NE(strstr(error.message, ".npz"), nullptr) << error.message;
    EXPECT_TRUE(names().empty());
}

TEST_F(Write, FullDiskIsReported) {
    if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full";
    make(FR_F64);
    for (const char *name : {"full.npy", "full.npz"}) {
        ASSERT_EQ(symlink("/dev/full", at(name).c_str()), 0);
        fr_status status = fr_dataset_write(set, at(name).c_str(), &error);
        EXPECT_EQ(status, FR_ERROR);
#ifdef FR_HAVE_LIBZIP
        EXPECT_NE(strstr(error.message, "No space left on device"), nullptr) << error.message;
#endif
    }
    EXPECT_EQ(names().size(), 2u) << "only the two links";
}

TEST_F(Write, PlantedSetIsMadeForWritingAndReadsBack) {
    fr_planted planted{};
    planted.samples = 5;
    planted.features = 3;
    planted.seed = 7;
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F64, &set, &error), FR_OK) << error.message;
    void *rows = set->rows, *had_labels = set->labels;
    ASSERT_EQ(fr_dataset_write(set, at("p.npy").c_str(), &error), FR_OK) << error.message;
    EXPECT_EQ(set->rows, rows);
    EXPECT_EQ(set->labels, had_labels);
    EXPECT_EQ(names().size(), 3u);
    std::string labels = at("p-labels.npy");
    fr_read_options options{};
    options.labels = labels.c_str();
    Read back(at("p.npy"), options);
    ASSERT_EQ(fr_dataset_samples(back.set), 5);
    ASSERT_EQ(fr_dataset_features(back.set), 3);
    /* a set that holds some of its rows only is written whole as well */
    std::string whole = read("p.npy");
    ASSERT_EQ(fr_dataset_materialize(set, 1, 2, &error), FR_OK) << error.message;
    ASSERT_EQ(fr_dataset_write(set, at("p.npy").c_str(), &error), FR_OK) << error.message;
    EXPECT_EQ(read("p.npy"), whole);
    EXPECT_EQ(set->local_rows, 2);
    EXPECT_EQ(memcmp(set->rows, whole.data() + 128 + 24, 48), 0);
}

/* Millions of cells, so that there is something between the first row and the last. */
TEST_F(Write, WhoWatchesPlantedRowsIsToldAndMayStopThem) {
    struct Watch {
        int64_t last = 0, stop_at = INT64_MAX;
        int calls = 0;
    } watch;
    auto look = [](int64_t done, int64_t total, void *user) {
        Watch *w = (Watch *)user;
        EXPECT_GT(done, w->last);
        EXPECT_EQ(total, 9000);
        w->last = done;
        w->calls++;
        return (int)(done >= w->stop_at);
    };
    fr_planted planted{9000, 1000, 0, 7};
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F32, &set, &error), FR_OK) << error.message;
    fr_dataset_watch(set, look, &watch);
    ASSERT_EQ(fr_dataset_materialize(set, 0, 9000, &error), FR_OK) << error.message;
    EXPECT_EQ(watch.last, 9000);
    EXPECT_GT(watch.calls, 1);
    watch = {0, 1, 0};
    EXPECT_EQ(fr_dataset_write(set, at("p.npy").c_str(), &error), FR_OK) << "rows that are there are not made again";
    EXPECT_EQ(fr_dataset_materialize(set, 0, 9000, &error), FR_OK);
    EXPECT_EQ(watch.calls, 0);
    fr_dataset_free(set);
    ASSERT_EQ(fr_dataset_generate(&planted, FR_F32, &set, &error), FR_OK) << error.message;
    fr_dataset_watch(set, look, &watch);
    EXPECT_EQ(fr_dataset_materialize(set, 0, 9000, &error), FR_ERROR);
    EXPECT_NE(strstr(error.message, "of 9000 planted rows were made"), nullptr) << error.message;
    EXPECT_EQ(watch.calls, 1);
    EXPECT_EQ(set->rows, nullptr);
    EXPECT_EQ(set->local_rows, 0);
}

/* --------------------------------------------------------------------------------------------- NPZ */

#ifdef FR_HAVE_LIBZIP

class Npz : public Write {
  protected:
    Entry x{"X.npy", npy<double>("<f8", "(2, 2)", {1, 2, 3, 4})}, y{"y.npy", npy<int32_t>("<i4", "(2,)", {5, 6})};
};

TEST_F(Npz, StoredAndDeflated) {
    for (bool deflate : {false, true}) {
        Read(archive("a.npz", {y, x}, deflate)).expect(2, 2, {1, 2, 3, 4}, {5, 6});
        Read(archive("a.data", {x, {"other.npy", "junk"}, y}, deflate)).expect(2, 2, {1, 2, 3, 4}, {5, 6});
    }
    vector<double> many(100000); /* more than a chunk */
    for (size_t i = 0; i < many.size(); i++) many[i] = (double)(i * i % 1009);
    fr_read_options options{};
    options.without_labels = true;
    Read(archive("a.npz", {{"X.npy", npy<double>("<f8", "(1000, 100)", many)}}, true), options)
        .expect(1000, 100, many, {});
}

TEST_F(Npz, PlantedWeightsAreKept) {
    Read read(archive("a.npz", {x, y, {"w_star.npy", npy<float>("<f4", "(2,)", {200.5f, 199})}}, false));
    ASSERT_NE(fr_dataset_planted(read.set), nullptr);
    EXPECT_EQ(fr_dataset_planted(read.set)[0], 200.5);
    EXPECT_FALSE(read.set->is_planted);
    Refusal(archive("b.npz", {x, y, {"w_star.npy", npy<float>("<f4", "(1,)", {200.5f})}}, false))
        .expect(FR_ERROR_DATA, {"w_star", "1 values", "expected 2"});
}

TEST_F(Npz, LabelsInsideOutsideOrNone) {
    fr_read_options options{};
    options.without_labels = true;
    Read(archive("a.npz", {x, y}, false), options).expect(2, 2, {1, 2, 3, 4}, {});
    std::string labels = write("y.txt", "8\n9\n");
    options = fr_read_options{};
    options.labels = labels.c_str();
    Read(archive("a.npz", {x}, false), options).expect(2, 2, {1, 2, 3, 4}, {8, 9});
    Refusal(archive("a.npz", {x, {"Y.npy", "?"}}, false))
        .expect(FR_ERROR_DATA, {"a.npz", "no array y.npy", "X.npy, Y.npy"});
    Refusal(archive("a.npz", {y}, false)).expect(FR_ERROR_DATA, {"a.npz", "no array X.npy", "y.npy"});
    Refusal(archive("a.npz", {x, {"y.npy", npy<double>("<f8", "(3,)", {1, 2, 3})}}, false))
        .expect(FR_ERROR_DATA, {"a.npz", "array y has 3 values", "expected 2"});
}

TEST_F(Npz, DamageIsRefused) {
    Refusal(write("a.npz", "PK\3\4 what")).expect(FR_ERROR_DATA, {"a.npz", "NPZ"});
    Refusal(write("a.npz", "1,2\n")).expect(FR_ERROR_DATA, {"a.npz", "NPZ"});
    for (bool deflate : {false, true}) {
        archive("a.npz", {x, y}, deflate);
        std::string whole = read("a.npz");
        for (size_t size = 1; size < whole.size(); size += 7)
            EXPECT_NE(Refusal(write("a.npz", whole.substr(0, size))).status, FR_OK) << size;
        size_t value = deflate ? 60 : whole.find("NUMPY") + 128;
        whole[value] = (char)(whole[value] ^ 1);
        Refusal(write("a.npz", whole)).expect(FR_ERROR_DATA, {"a.npz"});
    }
    std::string cut = x.bytes.substr(0, x.bytes.size() - 8);
    Refusal(archive("a.npz", {{"X.npy", cut}, y}, false))
        .expect(FR_ERROR_DATA, {"array X", "found 24", "expected 32"});
    for (size_t size = 0; size < 128; size += 5)
        Refusal(archive("a.npz", {{"X.npy", x.bytes.substr(0, size)}, y}, true)).expect(FR_ERROR_DATA, {"a.npz"});
    Refusal(archive("a.npz", {x, {"y.npy", npy<double>("<f8", "(2,)", {1, NAN})}}, true))
        .expect(FR_ERROR_DATA, {"y[1] is nan"});
    Refusal(archive("a.npz", {{"X.npy", npy<double>("<c8", "(2, 2)", {1, 2, 3, 4})}, y}, true))
        .expect(FR_ERROR_DATA, {"complex"});
    Refusal(archive("a.npz", {{"X.npy", npy<double>("<f8", "(2,)", {1, 2})}, y}, true))
        .expect(FR_ERROR_DATA, {"expected 2-D"});
}

TEST_F(Npz, WrittenArchivesReadBackExactlyAndRepeat) {
    for (fr_precision precision : {FR_F64, FR_F32}) {
        make(precision);
        plant();
        ASSERT_EQ(fr_dataset_write(set, at("a.npz").c_str(), &error), FR_OK) << error.message;
        EXPECT_EQ(names(), vector<std::string>{"a.npz"});
        fr_read_options options{};
        options.precision = precision;
        expect_same(at("a.npz"), options);
        Read back(at("a.npz"), options);
        ASSERT_NE(fr_dataset_planted(back.set), nullptr);
        EXPECT_EQ(fr_dataset_planted(back.set)[1], 1.0 / 3);
        std::string first = read("a.npz");
        ASSERT_EQ(fr_dataset_write(set, at("a.npz").c_str(), &error), FR_OK) << error.message;
        EXPECT_EQ(read("a.npz"), first);
    }
    EXPECT_EQ(fr_dataset_write(set, at("none/a.npz").c_str(), &error), FR_ERROR);
    EXPECT_EQ(names().size(), 1u);
}

#endif

} // namespace
