/*
 * dataset_part_test.cpp - files of which a rank keeps the rows of its own workers: the parts of all ranks are the
 * whole file bit for bit, no rank holds more than its rows, and all agree on n, d and the fingerprint.
 */
#include "scratch.h"

#include <malloc.h>

#include <cmath>

extern "C" {
#include "data/parse.h"
#include "engine/engine.h"
#include "data/planted.h"
}

namespace {

using std::string;
using std::vector;

fr_read_options part_of(fr_read_options options, int all, int first, int count) {
    options.all_workers = all;
    options.first_worker = first;
    options.worker_count = count;
    return options;
}

/* The block holds these bytes, and of other rows it holds none. */
void expect_held(const void *block, int64_t bytes) {
    ASSERT_NE(block, nullptr);
    size_t held = malloc_usable_size(const_cast<void *>(block));
    EXPECT_GE(held, (size_t)bytes);
    EXPECT_LE(held, (size_t)bytes + 4096);
}

/* What all ranks know alike. */
void expect_alike(const fr_dataset *part, const fr_dataset *whole) {
    EXPECT_EQ(fr_dataset_samples(part), whole->samples);
    EXPECT_EQ(fr_dataset_features(part), whole->features);
    EXPECT_EQ(part->fingerprint, whole->fingerprint);
    EXPECT_EQ(part->precision, whole->precision);
    ASSERT_EQ(part->planted == nullptr, whole->planted == nullptr);
    for (int64_t j = 0; whole->planted && j < whole->features; j++) EXPECT_EQ(part->planted[j], whole->planted[j]);
}

/* One rank's part: the rows of its workers, where they stand in the whole. */
void expect_part(const string &path, const fr_read_options &options, const fr_dataset *whole) {
    Read read(path, options);
    const fr_dataset *part = read.set;
    ASSERT_NE(part, nullptr);
    expect_alike(part, whole);
    int64_t first = fr_split_start(whole->samples, options.all_workers, options.first_worker);
    int64_t end = fr_split_start(whole->samples, options.all_workers, options.first_worker + options.worker_count);
    ASSERT_EQ(part->first_row, first);
    ASSERT_EQ(part->local_rows, end - first);
    int64_t real = (int64_t)fr_precision_bytes(whole->precision), row = whole->features * real;
    expect_held(part->rows, part->local_rows * row);
    EXPECT_EQ(memcmp(part->rows, (const char *)whole->rows + first * row, (size_t)(part->local_rows * row)), 0);
    ASSERT_EQ(part->labels == nullptr, whole->labels == nullptr);
    if (!whole->labels) return;
    expect_held(part->labels, part->local_rows * real);
    EXPECT_EQ(memcmp(part->labels, (const char *)whole->labels + first * real, (size_t)(part->local_rows * real)), 0);
}

/* K workers over R ranks, for several of both: parts that fit together make the whole. */
void expect_parts_make_the_whole(const string &path, const fr_read_options &options, int64_t samples) {
    SCOPED_TRACE(path);
    Read whole(path, options);
    ASSERT_NE(whole.set, nullptr);
    ASSERT_EQ(whole.set->samples, samples);
    ASSERT_EQ(whole.set->first_row, 0);
    ASSERT_EQ(whole.set->local_rows, samples);
    for (int all : {1, 2, 3, 7, (int)samples, (int)samples + 3})
        for (int ranks : {1, 2, 3, 7}) {
            int64_t rows = 0;
            for (int rank = 0; rank < ranks; rank++) {
                int first = (int)fr_split_start(all, ranks, rank), end = (int)fr_split_start(all, ranks, rank + 1);
                fr_read_options own = part_of(options, all, first, end - first);
                expect_part(path, own, whole.set);
                rows += fr_kept_rows(&own, samples).count;
            }
            EXPECT_EQ(rows, samples);
        }
    Read none(path, part_of(options, 4, 0, 0));
    ASSERT_NE(none.set, nullptr);
    EXPECT_EQ(none.set->local_rows, 0);
    expect_alike(none.set, whole.set);
}

/* n x d different numbers in the order of the file. */
template <typename Value> vector<Value> numbers(int64_t n, int64_t d, bool fortran) {
    vector<Value> values;
    for (int64_t i = 0; i < n * d; i++) {
        int64_t row = fortran ? i % n : i / d, column = fortran ? i / n : i % d;
        values.push_back((Value)(row * 31 + column * 7 + 0.25));
    }
    return values;
}
template <typename Value> string matrix(const char *dtype, int64_t n, int64_t d, bool fortran) {
    string shape = "(" + std::to_string(n) + ", " + std::to_string(d) + ")";
    return npy<Value>(dtype, shape, numbers<Value>(n, d, fortran), fortran);
}
string vector_of(int64_t n, double scale) {
    vector<double> values;
    for (int64_t i = 0; i < n; i++) values.push_back(scale * (double)i - 1);
    return npy<double>("<f8", "(" + std::to_string(n) + ",)", values);
}

class Part : public Scratch {
  protected:
    fr_error error{};
    string labels_name;
    fr_read_options with_labels(const string &name, fr_precision precision = FR_F64) {
        labels_name = at(name);
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
    template <typename Value> void check_dtype(const char *dtype) {
        for (bool fortran : {false, true})
            for (fr_precision precision : {FR_F64, FR_F32})
                expect_parts_make_the_whole(write("a.npy", matrix<Value>(dtype, 11, 3, fortran)),
                                            rows_only(precision), 11);
    }
};

/* --------------------------------------------------------------------------------------------- arrays */

TEST_F(Part, NpyOfEveryDtypeAndOrder) {
    check_dtype<double>("<f8");
    check_dtype<float>("<f4");
    check_dtype<int8_t>("|i1");
    check_dtype<uint8_t>("|u1");
    check_dtype<uint8_t>("|b1");
    check_dtype<int16_t>("<i2");
    check_dtype<uint16_t>("<u2");
    check_dtype<int32_t>("<i4");
    check_dtype<uint32_t>("<u4");
    check_dtype<int64_t>("<i8");
    check_dtype<uint64_t>("<u8");
}

TEST_F(Part, NpyWithLabelsInAFileOfEitherKind) {
    for (int64_t n : {1, 5, 17}) {
        string text = "# labels\n";
        for (int64_t i = 0; i < n; i++) text += std::to_string(i * i) + (i % 3 ? "\n" : "\r\n\n  \n");
        write("y.txt", text);
        write("y.npy", vector_of(n, 3));
        write("column.npy", npy<float>("<f4", "(" + std::to_string(n) + ", 1)", numbers<float>(n, 1, true), true));
        for (bool fortran : {false, true})
            for (const char *labels : {"y.txt", "y.npy", "column.npy"})
                expect_parts_make_the_whole(write("a.npy", matrix<double>("<f8", n, 4, fortran)), with_labels(labels),
                                            n);
    }
}

/* Longer than a block of conversion, and, with columns of 160 kB, than what is fetched piece by piece. */
TEST_F(Part, NpyOfManyRows) {
    for (bool fortran : {false, true})
        expect_parts_make_the_whole(write("a.npy", matrix<double>("<f8", 20011, 3, fortran)), rows_only(), 20011);
}

#ifdef FR_HAVE_LIBZIP
TEST_F(Part, NpzStoredAndDeflated) {
    for (bool deflate : {false, true})
        for (bool fortran : {false, true})
            for (int64_t n : {1, 5, 17}) {
                Entry x{"X.npy", matrix<float>("<f4", n, 4, fortran)}, y{"y.npy", vector_of(n, 2)};
                Entry planted{"w_star.npy", vector_of(4, 7)};
                expect_parts_make_the_whole(archive("a.npz", {x, y, planted}, deflate), {}, n);
                write("labels.txt", string("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n"));
                if (n == 17)
                    expect_parts_make_the_whole(archive("b.npz", {x}, deflate), with_labels("labels.txt"), n);
            }
}

TEST_F(Part, NpzOfManyChunks) {
    for (bool fortran : {false, true}) {
        Entry x{"X.npy", matrix<double>("<f8", 20011, 3, fortran)}, y{"y.npy", vector_of(20011, 2)};
        string path = archive("a.npz", {y, x}, true);
        Read whole(path);
        ASSERT_NE(whole.set, nullptr);
        for (int first = 0; first < 7; first++) expect_part(path, part_of({}, 7, first, 1), whole.set);
    }
}

/* The checksum is one of the whole array: damage is found by every rank that keeps rows, whoever's rows it hit. */
TEST_F(Part, NpzDamageIsFoundByEveryRankWithRows) {
    archive("a.npz", {{"X.npy", matrix<double>("<f8", 4, 2, false)}, {"y.npy", vector_of(4, 2)}}, false);
    string bytes = read("a.npz");
    size_t last_row = bytes.find("NUMPY") - 1 + 128 + 6 * sizeof(double);
    bytes[last_row] = (char)(bytes[last_row] ^ 1);
    for (int first = 0; first < 4; first++)
        Refusal(write("a.npz", bytes), part_of({}, 4, first, 1)).expect(FR_ERROR_DATA, {"a.npz", "array X"});
}
#endif

/* ----------------------------------------------------------------------------------------------- text */

TEST_F(Part, CsvWithHeaderBlankLinesCommentsAndQuotes) {
    for (int64_t n : {1, 5, 17})
        for (const char *head : {"", "u,v,\"the label, y\"\n", "\xef\xbb\xbf# written by hand\r\n\r\nu,v,y\r\n"}) {
            string text = head;
            for (int64_t i = 0; i < n; i++) {
                string number = std::to_string(i);
                text +=
                    i % 2 ? "\"" + number + ".5\", 2e" + number + " ,\" -" + number + "\"\r\n" : number + ",7,.125\n";
                if (i % 3 == 0) text += "\n  \t\n";
            }
            fr_read_options first_column{}, single{};
            first_column.label_column = "1";
            single.precision = FR_F32;
            expect_parts_make_the_whole(write("a.csv", text), {}, n);
            expect_parts_make_the_whole(at("a.csv"), first_column, n);
            expect_parts_make_the_whole(at("a.csv"), single, n);
            expect_parts_make_the_whole(at("a.csv"), rows_only(), n);
            write("y.npy", vector_of(n, 3));
            expect_parts_make_the_whole(at("a.csv"), with_labels("y.npy"), n);
        }
}

TEST_F(Part, CsvOfEveryDelimiterAndWithoutAnEndOfLine) {
    for (const char *text : {"1;2;3\n4;5;6\n7;8;9", "1\t2\t3\n4\t5\t6\n7\t8\t9", "  1 2\t3\n4  5 6 \n7 8 9"})
        expect_parts_make_the_whole(write("a.csv", text), {}, 3);
}

/* The largest index stands in one row only, and d is the same to those who do not keep that row. */
TEST_F(Part, LibsvmHasTheSameFeaturesForAll) {
    for (int64_t n : {1, 5, 17})
        for (int64_t widest : {INT64_C(0), n / 2, n - 1}) {
            string text = "# label index:value\n";
            for (int64_t i = 0; i < n; i++) {
                text += std::to_string(i) + " 1:" + std::to_string(i) + ".5 3:-2";
                text += i == widest ? " 9:1 # the widest, 12:1\n\n" : "\r\n";
            }
            expect_parts_make_the_whole(write("a.svm", text), {}, n);
            Read whole(at("a.svm"));
            ASSERT_NE(whole.set, nullptr);
            EXPECT_EQ(fr_dataset_features(whole.set), 9);
            fr_read_options wider = rows_only();
            wider.features = 12;
            expect_parts_make_the_whole(at("a.svm"), wider, n);
            write("y.txt", "5\n");
            if (n == 1) expect_parts_make_the_whole(at("a.svm"), with_labels("y.txt"), n);
        }
}

/* A master that keeps no rows needs no memory for them. */
TEST_F(Part, NoRowsNeedNoMemory) {
    string path = write("a.svm", "1 1:2\n1 400000000000:1\n");
    Refusal(path, part_of({}, 2, 1, 1)).expect(FR_ERROR, {"needs 3.2 TB"});
    Read none(path, part_of({}, 2, 0, 0));
    ASSERT_NE(none.set, nullptr);
    EXPECT_EQ(fr_dataset_features(none.set), INT64_C(400000000000));
    EXPECT_EQ(fr_dataset_samples(none.set), 2);
    expect_held(none.set->rows, 0);
    expect_held(none.set->labels, 0);
}

/* --------------------------------------------------------------------------------------------- errors */

/* Of four workers with two rows each, the one with the bad row names its place in the file; the others read on. */
class PartError : public Part {
  protected:
    void expect_found_by(int worker, const string &path, const fr_read_options &options,
                         const vector<string> &words) {
        for (int k = 0; k < 4; k++) {
            SCOPED_TRACE(k);
            if (k == worker) Refusal(path, part_of(options, 4, k, 1)).expect(FR_ERROR_DATA, words);
            else Read(path, part_of(options, 4, k, 1));
        }
        Refusal(path, options).expect(FR_ERROR_DATA, words);
        Read(path, part_of(options, 4, 0, 0));
    }
    void expect_found_by_all(const string &path, const fr_read_options &options, const vector<string> &words) {
        for (int count : {0, 1, 4}) Refusal(path, part_of(options, 4, 0, count)).expect(FR_ERROR_DATA, words);
    }
};

TEST_F(PartError, TextNamesTheLineInTheWholeFile) {
    string csv = "u,y\n\n# comment\n1,2\n1,2\n1,2\n\n1,2\n1,BAD\n1,2\n1,2\n1,2\n";
    expect_found_by(2, write("a.csv", csv), {}, {"a.csv:9", "column 2 (\"y\")", "\"BAD\""});
    expect_found_by(2, write("b.csv", csv.replace(csv.find("BAD"), 3, "2,3")), {},
                    {"b.csv:9", "found 3 columns", "expected 2 as in line 1"});
    expect_found_by(3, write("a.svm", "1 2:1\n1 1:1\n1 2:1\n\n# x\n1 2:1\n1 2:1\n1 2:1\n1 1:x 2:1\n1 2:1\n"), {},
                    {"a.svm:9", "\"1:x\""});
    write("y.txt", "# y\n1\n2\n3\n\nnone\n5\n6\n7\n8\n");
    expect_found_by(1, write("a.npy", matrix<double>("<f8", 8, 2, false)), with_labels("y.txt"),
                    {"y.txt:6", "\"none\"", "one label"});
}

TEST_F(PartError, ArraysNameRowAndColumnOfTheWhole) {
    for (bool fortran : {false, true}) {
        vector<double> values = numbers<double>(8, 3, fortran);
        values[fortran ? 2 * 8 + 5 : 5 * 3 + 2] = NAN;
        expect_found_by(2, write("a.npy", npy<double>("<f8", "(8, 3)", values, fortran)), rows_only(),
                        {"X[5,2] is nan"});
    }
    write("y.npy", npy<double>("<f8", "(8,)", {1, 2, 3, 4, 5, 6, 7, INFINITY}));
    expect_found_by(3, write("a.npy", matrix<double>("<f8", 8, 3, false)), with_labels("y.npy"), {"y[7] is inf"});
}

/* What concerns the whole file is found by every rank, one without rows included. */
TEST_F(PartError, TheWholeFileIsCheckedByAll) {
    expect_found_by_all(write("a.csv", "u,v,y\n"), {}, {"a.csv", "header", "no rows"});
    expect_found_by_all(write("b.svm", "# nothing\n"), {}, {"b.svm is empty"});
    expect_found_by_all(write("c.svm", "1\n2\n"), {}, {"c.svm", "no index"});
    expect_found_by_all(write("a.npy", npy<double>("<f8", "(0, 2)", {})), rows_only(), {"empty", "(0, 2)"});
    string x = matrix<double>("<f8", 8, 3, false);
    expect_found_by_all(write("b.npy", x.substr(0, x.size() - 1)), rows_only(), {"truncated", "expected 192"});
    write("y.txt", "1\n2\n3\n4\n5\n6\n7\n");
    write("y.npy", vector_of(7, 1));
    write("c.npy", x);
    expect_found_by_all(at("c.npy"), with_labels("y.txt"), {"y.txt has 7 labels, expected 8"});
    expect_found_by_all(at("c.npy"), with_labels("y.npy"), {"y.npy", "7 values", "expected 8"});
}

TEST_F(PartError, WorkersThatThereAreNot) {
    string path = write("a.csv", "1,2\n3,4\n");
    const int most = INT32_MAX;
    const int bad[][3] = {{4, 0, 5},  {4, 3, 2}, {4, 5, 0}, {4, -1, 1},        {4, 0, -1},
                          {-1, 0, 0}, {0, 0, 1}, {0, 1, 0}, {most, most, most}};
    for (const int *b : bad)
        Refusal(path, part_of({}, b[0], b[1], b[2]))
            .expect(FR_ERROR_USAGE, {"a.csv", std::to_string(b[2]) + " workers from worker " + std::to_string(b[1])});
    Read(path, part_of({}, most, most - 1, 1)); /* far more workers than rows: no rows for the last */
    Read(path, part_of({}, 4, 4, 0));
}

/* ---------------------------------------------------------------------------------------- fingerprint */

TEST_F(Part, FingerprintChangesWithAnyByte) {
    string text;
    for (int i = 0; i < 60000; i++) text += "1,2\n"; /* 240 kB: longer than both ends together */
    string labels(120000, '1');
    for (size_t i = 1; i < labels.size(); i += 2) labels[i] = '\n';
    auto print = [&](const string &data, const string &y) {
        write("a.csv", data);
        write("y.txt", y);
        Read read(at("a.csv"), part_of(with_labels("y.txt"), 3, 1, 1));
        return read.set ? read.set->fingerprint : 0;
    };
    const uint64_t same = print(text, labels);
    EXPECT_NE(same, 0u);
    EXPECT_EQ(print(text, labels), same);
    for (size_t place : {(size_t)0, (size_t)120000, text.size() - 4}) { /* beginning, middle, end */
        string other = text;
        other[place] = '9';
        EXPECT_NE(print(other, labels), same) << place;
    }
    string middle = text;
    middle.insert(120000, " \n"); /* the ends stay, the size does not */
    EXPECT_NE(print(middle, labels), same);
    string other = labels;
    other[60000] = '2';
    EXPECT_NE(print(text, other), same);
    EXPECT_EQ(print(text, labels), same);
    fr_read_options column = {};
    column.label_column = "1";
    EXPECT_NE(Read(at("a.csv"), column).set->fingerprint, Read(at("a.csv")).set->fingerprint);
}

TEST_F(Part, FingerprintOfARecipe) {
    auto print = [&](int64_t n, int64_t d, double noise, uint64_t seed, fr_precision precision) {
        fr_planted planted = {n, d, noise, seed};
        fr_dataset *set = nullptr;
        EXPECT_EQ(fr_dataset_generate(&planted, precision, &set, &error), FR_OK) << error.message;
        uint64_t found = set->fingerprint;
        EXPECT_EQ(fr_dataset_materialize(set, 1, 2, &error), FR_OK);
        EXPECT_EQ(set->fingerprint, found);
        fr_dataset_free(set);
        return found;
    };
    uint64_t same = print(5, 3, 0.5, 7, FR_F64);
    EXPECT_EQ(print(5, 3, 0.5, 7, FR_F32), same);
    for (uint64_t other : {print(3, 5, 0.5, 7, FR_F64), print(6, 3, 0.5, 7, FR_F64), print(5, 4, 0.5, 7, FR_F64),
                           print(5, 3, 0.25, 7, FR_F64), print(5, 3, 0.5, 8, FR_F64)})
        EXPECT_NE(other, same);
    double values[] = {1, 2};
    fr_dataset *set = nullptr;
    ASSERT_EQ(fr_dataset_from_arrays(2, 1, values, values, FR_F64, &set, &error), FR_OK);
    EXPECT_EQ(set->fingerprint, 0u);
    fr_dataset_free(set);
}

/* ------------------------------------------------------------------------------- what a part is good for */

/* A part serves the engine of its workers as the whole does, to the bit, and is refused to the engine of others. */
TEST_F(Part, EngineOfItsOwnWorkers) {
    string path = write("a.npy", matrix<double>("<f8", 11, 3, true));
    write("y.npy", vector_of(11, 3));
    fr_read_options options = with_labels("y.npy");
    Read whole(path, options), part(path, part_of(options, 4, 1, 2));
    ASSERT_NE(part.set, nullptr);
    fr_options fit;
    fr_options_default(&fit);
    fit.workers = 4;
    fit.batch = FR_BATCH_FULL;
    fr_plan plan{};
    ASSERT_EQ(fr_plan_make(&fit, whole.set, &plan, &error), FR_OK) << error.message;
    vector<double> sums[2] = {vector<double>(6), vector<double>(6)};
    fr_row_sums scalars[2][2] = {};
    for (int i = 0; i < 2; i++) {
        fr_engine_config config = {&plan, i ? part.set : whole.set, 1, 2, 1, -1, 0, false};
        fr_engine *engine = nullptr;
        ASSERT_EQ(fr_engine_cpu_create(&config, &engine, &error), FR_OK) << error.message;
        EXPECT_EQ(engine->ops->survey(engine, FR_PASS_LABELS, nullptr, sums[i].data(), scalars[i], &error), FR_OK);
        fr_engine_free(engine);
    }
    EXPECT_EQ(sums[0], sums[1]);
    EXPECT_NE(sums[0], vector<double>(6));
    EXPECT_EQ(memcmp(scalars[0], scalars[1], sizeof scalars[0]), 0);
    for (int first : {0, 2}) { /* rows before, rows after */
        fr_engine_config config = {&plan, part.set, first, 2, 1, -1, 0, false};
        fr_engine *engine = nullptr;
        ASSERT_EQ(fr_engine_cpu_create(&config, &engine, &error), FR_ERROR);
        EXPECT_NE(strstr(error.message, "6 of 11 rows are held here, from row 3 on"), nullptr) << error.message;
    }
}

TEST_F(Part, IsNeitherWrittenNorPredictedFrom) {
    string path = write("a.csv", "1,2\n3,4\n5,6\n");
    Read whole(path, part_of({}, 2, 0, 2)), part(path, part_of({}, 2, 0, 1)), none(path, part_of({}, 2, 2, 0));
    for (const char *name : {"b.npy", "b.npz"})
        for (const Read *some : {&part, &none}) {
            EXPECT_EQ(fr_dataset_write(some->set, at(name).c_str(), &error), FR_ERROR);
            string held = std::to_string(some->set->local_rows) + " of 3 rows are held here";
            EXPECT_NE(strstr(error.message, held.c_str()), nullptr) << error.message;
        }
    EXPECT_EQ(names(), vector<string>{"a.csv"});
    EXPECT_EQ(fr_dataset_write(whole.set, at("b.npy").c_str(), &error), FR_OK) << error.message;

    fr_options options;
    fr_solver *solver = nullptr;
    fr_result result;
    fr_model *model = nullptr;
    fr_options_default(&options);
    options.iterations = 1;
    options.workers = 1;
    ASSERT_EQ(fr_solver_create(&options, whole.set, &solver, &error), FR_OK) << error.message;
    ASSERT_EQ(fr_solver_run(solver, &result, &error), FR_OK) << error.message;
    ASSERT_EQ(fr_solver_model(solver, &model, &error), FR_OK) << error.message;
    fr_solver_free(solver);
    double out[3] = {-1, -1, -1};
    EXPECT_EQ(fr_model_predict(model, part.set, out, &error), FR_ERROR);
    EXPECT_NE(strstr(error.message, "2 of 3 rows are held here"), nullptr) << error.message;
    EXPECT_EQ(out[0], -1);
    EXPECT_EQ(fr_model_predict(model, whole.set, out, &error), FR_OK) << error.message;
    fr_model_free(model);
}

} // namespace
