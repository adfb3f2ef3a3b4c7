/*
 * dataset_missing_test.cpp - missing values refused, their rows left out, or means in their place; and that all ranks
 * find the same whatever rows they keep.
 */
#include "scratch.h"

#include "packed.h"

#include <cmath>
#include <random>

extern "C" {
#include "data/parse.h"
}

namespace {

using std::string;
using std::vector;

class Missing : public Scratch {
  protected:
    fr_read_options drop{}, mean{};
    string remarks;
    void SetUp() override {
        Scratch::SetUp();
        drop.missing = FR_MISSING_DROP;
        mean.missing = FR_MISSING_MEAN;
        for (fr_read_options *options : {&drop, &mean}) {
            options->user = &remarks;
            options->remark = [](const char *line, void *user) {
                *static_cast<string *>(user) += string(line) + "\n";
            };
        }
    }
    void remarked(const vector<string> &words) {
        for (const string &word : words) EXPECT_NE(remarks.find(word), string::npos) << word << " in: " << remarks;
        if (words.empty()) EXPECT_EQ(remarks, "");
        remarks.clear();
    }
};

TEST_F(Missing, RowsOfACsvAreLeftOutAndCounted) {
    string path = write("a", "u,v,y\n1,2,3\nNA,5,6\n7,8,9\n1,,2\n1,2,#N/A\n#DIV/0!,1,1\n4,nan,4\n5,6,7\n");
    Refusal(path).expect(FR_ERROR_DATA, {"a:3: column 1 (\"u\"): found \"NA\"", "--missing drop"});
    Read(path, drop).expect(3, 2, {1, 2, 7, 8, 5, 6}, {3, 9, 7});
    remarked({"a: 5 rows left out, each without some value (the first is row 2)"});
    Read(write("a", "1,2\n3,4\n"), drop).expect(2, 1, {1, 3}, {2, 4});
    remarked({});
}

TEST_F(Missing, MeansAreThoseOfTheValuesThereAre) {
    string path = write("a", "u,v,y\n1,2,3\nNA,5,6\n8,8,NA\n3,--,9\n");
    Read(path, mean).expect(3, 2, {1, 2, 2, 5, 3, 3.5}, {3, 6, 9});
    remarked(
        {"1 row left out, each without its label (the first is row 3)", "2 missing values replaced by the mean"});
    Refusal(write("a", "1,,3\n4,NA,6\n"), mean).expect(FR_ERROR_DATA, {"feature 2 has no value to take the mean of"});
}

TEST_F(Missing, NothingLeftIsRefused) {
    Refusal(write("a", "NA,2\n1,NA\n"), drop).expect(FR_ERROR_DATA, {"each of its 2 rows lacks a value"});
    Refusal(write("a.svm", "nan 1:2\n"), drop).expect(FR_ERROR_DATA, {"each of its 1 rows lacks a value"});
}

/* What is wrong in another way is refused by every rule, in a row that lacks something too. */
TEST_F(Missing, OtherFaultsAreStillRefused) {
    for (const fr_read_options &options : {drop, mean}) {
        Refusal(write("a", "1,2,3\n1,NA,3,4\n"), options).expect(FR_ERROR_DATA, {"a:2"});
        Refusal(write("a", "1,2,3\n1,NA,abc\n"), options).expect(FR_ERROR_DATA, {"a:2"});
        Refusal(write("a", "1,2,3\ninf,2,3\n"), options).expect(FR_ERROR_DATA, {"a:2: column 1", "finite"});
        Refusal(write("a", "1,2,3\n1,1e160,3\n"), options).expect(FR_ERROR_DATA, {"a:2: column 2", "1e150"});
        Refusal(write("a.svm", "1 1:2\nnan 1:x\n"), options).expect(FR_ERROR_DATA, {"a.svm:2"});
    }
}

TEST_F(Missing, LabelsApart) {
    string text = write("y.txt", "y\n1\n#N/A\n3\nNA\n5\n"),
           array = write("y.npy", npy<double>("<f8", "(5,)", {1, NAN, 3, NAN, 5}));
    string rows = write("a", "1,2\n3,4\nNA,6\n7,NA\n9,10\n");
    for (const string *labels : {&text, &array}) {
        drop.labels = mean.labels = labels->c_str();
        Read(rows, drop).expect(2, 2, {1, 2, 9, 10}, {1, 5});
        remarked({"3 rows left out"});
        Read(rows, mean).expect(3, 2, {1, 2, 5, 6, 9, 10}, {1, 3, 5});
        remarked({"2 rows left out, each without its label", "1 missing value replaced"});
    }
}

TEST_F(Missing, Arrays) {
    for (bool fortran : {false, true}) {
        vector<double> values =
            fortran ? vector<double>{1, 3, NAN, 7, 2, 4, 6, NAN} : vector<double>{1, 2, 3, 4, NAN, 6, 7, NAN};
        string path = write("a.npy", npy<double>("<f8", "(4, 2)", values, fortran));
        drop.without_labels = mean.without_labels = true;
        Read(path, drop).expect(2, 2, {1, 2, 3, 4}, {});
        Read(path, mean).expect(4, 2, {1, 2, 3, 4, 11 / 3.0, 6, 7, 4}, {});
#ifdef FR_HAVE_LIBZIP
        drop.without_labels = mean.without_labels = false;
        path = archive("a.npz",
                       {{"X.npy", npy<double>("<f8", "(4, 2)", values, fortran)},
                        {"y.npy", npy<double>("<f8", "(4,)", {NAN, 2, 3, 4})}},
                       true);
        Read(path, drop).expect(1, 2, {3, 4}, {2});
        Read(path, mean).expect(3, 2, {3, 4, 5, 6, 7, 5}, {2, 3, 4});
#endif
    }
}

TEST_F(Missing, LibsvmValuesAndLabels) {
    string path = write("a.svm", "1 1:2 3:4\n2 1:nan 2:6\nNA 1:1\n4 1:7 3:NA\n");
    Refusal(path).expect(FR_ERROR_DATA, {"a.svm:2", "nan"});
    Read(path, drop).expect(1, 3, {2, 0, 4}, {1});
    Read(path, mean).expect(3, 3, {2, 0, 4, 4.5, 6, 0, 7, 0, 2}, {1, 2, 4});
}

/* --------------------------------------------------------------------------------------------- ranks */

/* A table with holes, in every format that can tell them, and what remains of it. */
struct Holes {
    int64_t n, d;
    vector<double> x, y;
    Holes(int64_t rows, int64_t columns, unsigned seed)
        : n(rows), d(columns), x((size_t)(rows * columns)), y((size_t)rows) {
        std::mt19937 random(seed);
        for (double &value : x) value = random() % 23 ? (double)(random() % 2000) / 8 + 1 : NAN;
        for (double &value : y) value = random() % 11 ? (double)(random() % 100) : NAN;
        for (int64_t j = 0; j < d; j++) x[(size_t)j] = 3; /* no column is empty */
        y[0] = 1;
    }
    static string word(double value) { return std::isnan(value) ? "NA" : std::to_string(value); }
    string csv() const {
        string text;
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < d; j++) text += word(x[(size_t)(i * d + j)]) + ",";
            text += word(y[(size_t)i]) + "\n";
        }
        return text;
    }
    string libsvm() const {
        string text;
        for (int64_t i = 0; i < n; i++) {
            text += word(y[(size_t)i]);
            for (int64_t j = 0; j < d; j++) text += " " + std::to_string(j + 1) + ":" + word(x[(size_t)(i * d + j)]);
            text += "\n";
        }
        return text;
    }
    string rows(bool fortran) const {
        vector<double> values;
        for (int64_t k = 0; k < n * d; k++) values.push_back(fortran ? x[(size_t)(k % n * d + k / n)] : x[(size_t)k]);
        return npy<double>("<f8", "(" + std::to_string(n) + ", " + std::to_string(d) + ")", values, fortran);
    }
    string labels() const { return npy<double>("<f8", "(" + std::to_string(n) + ",)", y); }
};

/* Parts put together are the whole, n and all, for several numbers of workers and ranks. */
void expect_parts_make_the_whole(const string &path, fr_read_options options, const Read &like) {
    SCOPED_TRACE(path);
    options.remark = nullptr;
    Read whole(path, options);
    ASSERT_NE(whole.set, nullptr);
    size_t row = (size_t)whole.set->features * sizeof(double);
    ASSERT_EQ(whole.set->samples, like.set->samples);
    for (int64_t i = 0; i < whole.set->samples * whole.set->features; i++)
        ASSERT_NEAR(((double *)whole.set->rows)[i], ((double *)like.set->rows)[i], 1e-9);
    EXPECT_EQ(memcmp(whole.set->labels, like.set->labels, (size_t)whole.set->samples * 8), 0);
    for (int all : {1, 2, 5, 13})
        for (int first = 0; first < all; first++) {
            options.all_workers = all;
            options.first_worker = first;
            options.worker_count = 1;
            Read part(path, options);
            ASSERT_NE(part.set, nullptr);
            fr_range kept = fr_kept_rows(&options, whole.set->samples);
            ASSERT_EQ(part.set->samples, whole.set->samples);
            ASSERT_EQ(part.set->first_row, kept.first);
            ASSERT_EQ(part.set->local_rows, kept.count);
            EXPECT_EQ(
                memcmp(part.set->rows, (char *)whole.set->rows + (size_t)kept.first * row, (size_t)kept.count * row),
                0);
            EXPECT_EQ(memcmp(part.set->labels, (double *)whole.set->labels + kept.first, (size_t)kept.count * 8), 0);
        }
    options.worker_count = 0;
    Read none(path, options);
    ASSERT_NE(none.set, nullptr);
    EXPECT_EQ(none.set->samples, whole.set->samples);
}

TEST_F(Missing, PartsOfAnyFormatMakeTheWhole) {
    for (unsigned seed = 1; seed <= 6; seed++) {
        Holes holes((int64_t)(seed * seed * 31), (int64_t)seed, seed);
        for (fr_read_options options : {drop, mean}) {
            options.remark = nullptr;
            Read like(write("a.csv", holes.csv()), options);
            ASSERT_NE(like.set, nullptr);
            EXPECT_LT(like.set->samples, holes.n);
            expect_parts_make_the_whole(at("a.csv"), options, like);
            expect_parts_make_the_whole(write("a.svm", holes.libsvm()), options, like);
            for (const string &packed : packings(holes.csv()))
                expect_parts_make_the_whole(write("a.gz", packed), options, like);
            write("y.npy", holes.labels());
            string labels = at("y.npy");
            fr_read_options apart = options;
            apart.labels = labels.c_str();
            for (bool fortran : {false, true}) {
                expect_parts_make_the_whole(write("a.npy", holes.rows(fortran)), apart, like);
                for (const string &packed : packings(holes.rows(fortran)))
                    expect_parts_make_the_whole(write("a.npy.gz", packed), apart, like);
#ifdef FR_HAVE_LIBZIP
                expect_parts_make_the_whole(
                    archive("a.npz", {{"X.npy", holes.rows(fortran)}, {"y.npy", holes.labels()}}, true), options,
                    like);
#endif
            }
        }
    }
}

/* More rows than a chunk and a block hold. */
TEST_F(Missing, ManyRows) {
    Holes holes(40009, 2, 5);
    drop.remark = nullptr;
    Read like(write("a.csv", holes.csv()), drop);
    ASSERT_NE(like.set, nullptr);
    string labels = write("y.npy", holes.labels());
    drop.labels = labels.c_str();
    for (bool fortran : {false, true}) expect_parts_make_the_whole(write("a.npy", holes.rows(fortran)), drop, like);
}

/* ----------------------------------------------------------------------------------------- mutations */

/* Whatever a file holds: it is refused in one line, or its parts are the whole; where the whole is refused, so is some
 * part. */
class Mutants : public Missing {
  protected:
    std::mt19937 random{7};
    size_t below(size_t limit) { return random() % limit; }
    string mutate(string bytes) {
        const char *const pieces[] = {",", "\n", "NA", "nan",  "#", "\"", " ", "1e160",
                                      ":", "\r", "-",  "#N/A", "0", "\t", ";"};
        for (size_t change = 0; change <= below(3); change++) {
            size_t at = below(bytes.size() + 1);
            switch (below(4)) {
            case 0: bytes.insert(at, pieces[below(sizeof pieces / sizeof *pieces)]); break;
            case 1: bytes.erase(at, below(9)); break;
            case 2:
                if (at < bytes.size()) bytes[at] = (char)random();
                break;
            default: bytes.insert(at, bytes.substr(below(bytes.size() + 1), below(30)));
            }
        }
        return bytes;
    }
    /* NULL where it is refused. */
    fr_dataset *try_to_read(const string &path, const fr_read_options &options) {
        fr_dataset *set = nullptr;
        fr_error error{};
        fr_status status = fr_dataset_read(path.c_str(), &options, &set, &error);
        EXPECT_EQ(status == FR_OK, set != nullptr);
        if (status != FR_OK) EXPECT_NE(string(error.message), "");
        EXPECT_EQ(strchr(error.message, '\n'), nullptr);
        return set;
    }
    /* Rows first .. of the whole are those of the part. */
    static void expect_within(const fr_dataset *part, const fr_dataset *whole) {
        size_t row = (size_t)whole->features * sizeof(double), count = (size_t)part->local_rows;
        ASSERT_EQ(part->samples, whole->samples);
        ASSERT_EQ(part->features, whole->features);
        EXPECT_EQ(memcmp(part->rows, (char *)whole->rows + (size_t)part->first_row * row, count * row), 0);
        if (part->labels && whole->labels)
            EXPECT_EQ(memcmp(part->labels, (double *)whole->labels + part->first_row, count * sizeof(double)), 0);
    }
    void check(const string &bytes, fr_read_options options) {
        SCOPED_TRACE(bytes.substr(0, 300));
        string path = write("a", bytes);
        options.remark = nullptr;
        fr_dataset *whole = try_to_read(path, options);
        int read = 0;
        for (int k = 0; k < 3; k++) {
            options.all_workers = 3;
            options.first_worker = k;
            options.worker_count = 1;
            fr_dataset *part = try_to_read(path, options);
            read += part != nullptr;
            if (part && whole) expect_within(part, whole);
            fr_dataset_free(part);
        }
        EXPECT_EQ(read == 3, whole != nullptr);
        fr_dataset_free(whole);
    }
};

TEST_F(Mutants, AreRefusedOrReadTheSameByParts) {
    Holes holes(9, 3, 4);
    string seeds[] = {"u,v,y\n" + holes.csv(), holes.csv(), holes.libsvm(), holes.rows(false), holes.rows(true)};
    for (int round = 0; round < 1500; round++) {
        size_t which = below(5);
        string bytes = mutate(seeds[which]);
        fr_read_options options = round % 3 == 0 ? fr_read_options{} : round % 3 == 1 ? drop : mean;
        options.without_labels = which >= 3;
        check(bytes, options);
        if (HasFailure()) break;
    }
}

TEST_F(Mutants, OfCompressedFilesToo) {
    for (const string &packed : packings(Holes(30, 3, 4).csv()))
        for (int round = 0; round < 300; round++) check(mutate(packed), drop);
}

} // namespace
