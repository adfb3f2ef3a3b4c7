/*
 * dataset_text_test.cpp - data sets from text: what CSV and LIBSVM files are accepted, what is refused and how.
 */
#include "scratch.h"

#include <sys/stat.h>

#include <thread>

namespace {

class Csv : public Scratch {};

/* ---------------------------------------------------------------------------------- CSV, accepted */

TEST_F(Csv, LastColumnIsTheLabelAndHeaderIsOptional) {
    Read(write("a", "1,2,3\n4,5,6\n")).expect(2, 2, {1, 2, 4, 5}, {3, 6});
    Read(write("b", "u,v,y\n1,2,3\n4,5,6")).expect(2, 2, {1, 2, 4, 5}, {3, 6});
    Read(write("c.csv", "1,2,3\n")).expect(1, 2, {1, 2}, {3});
}

TEST_F(Csv, EveryDelimiter) {
    for (const char *text :
         {"1,2,3\n4,5,6\n", "1;2;3\n4;5;6\n", "1\t2\t3\n4\t5\t6\n", "1 2 3\n4 5 6\n", "  1   2 \t 3  \n4 5 6\n",
          "1, 2 , 3\n 4,5,6\n", "1 ; 2; 3\n4;5;6\n", "1 \t2\t3\n4\t 5\t6 \n"})
        Read(write("a", text)).expect(2, 2, {1, 2, 4, 5}, {3, 6});
    Read(write("a", "house price,size y\n1,2\n3,4\n")).expect(2, 1, {1, 3}, {2, 4});
}

TEST_F(Csv, MarkCarriageReturnsCommentsAndBlankLines) {
    Read(write("a", "\xef\xbb\xbf"
                    "# comment, with, commas\r\n1,2\r\n\r\n3,4\r\n   \r\n"))
        .expect(2, 1, {1, 3}, {2, 4});
    Read(write("a", "x,y\n# units: m, s\n1,2\n")).expect(1, 1, {1}, {2});
    Read(write("a", "\xef\xbb\xbfx,y\r\n1,2\r\n")).expect(1, 1, {1}, {2});
    Read(write("a", "# saved by numpy\n1 2\n3 4\n")).expect(2, 1, {1, 3}, {2, 4});
}

TEST_F(Csv, QuotedNamesAndNumbers) {
    Read(write("a", "\"a, b\",\"say \"\"y\"\"\"\n\"1.5\",2\n3,\" 4 \"\n")).expect(2, 1, {1.5, 3}, {2, 4});
    fr_read_options options{};
    options.label_column = "a, b";
    Read(write("a", "\"a, b\",c\n1,2\n"), options).expect(1, 1, {2}, {1});
}

TEST_F(Csv, NumbersOfEveryShape) {
    Read(write("a", "+1,-2.5e3,.5,5.,1E-2,1e-999\n")).expect(1, 5, {1, -2500, .5, 5, .01}, {0});
}

TEST_F(Csv, LabelColumnByNameAndNumber) {
    std::string named = write("a", "u,y,v\n1,2,3\n4,5,6\n"), plain = write("b", "1,2,3\n4,5,6\n");
    fr_read_options options{};
    for (const char *column : {"y", "2", "-2"}) {
        options.label_column = column;
        Read(named, options).expect(2, 2, {1, 3, 4, 6}, {2, 5});
    }
    options.label_column = "1";
    Read(plain, options).expect(2, 2, {2, 3, 5, 6}, {1, 4});
    options.label_column = "-1";
    Read(plain, options).expect(2, 2, {1, 2, 4, 5}, {3, 6});
    options.label_column = "3"; /* a name goes before a number */
    options.header = FR_HEADER_YES;
    Read(write("c", "3,2,x\n7,8,9\n"), options).expect(1, 2, {8, 9}, {7});
}

TEST_F(Csv, RowsWithoutLabels) {
    fr_read_options options{};
    options.without_labels = true;
    std::string path = write("a", "1,2,3\n4,5,6\n");
    Read(path, options).expect(2, 3, {1, 2, 3, 4, 5, 6}, {});
    options.features = 3;
    Read(path, options).expect(2, 3, {1, 2, 3, 4, 5, 6}, {});
    options.features = 2;
    Read(path, options).expect(2, 2, {1, 2, 4, 5}, {});
    options.label_column = "1";
    Read(path, options).expect(2, 2, {2, 3, 5, 6}, {});
    options.features = 5;
    Refusal(path, options).expect(FR_ERROR_DATA, {"a:1", "found 3 columns", "expected 5 features"});
    options.features = 1;
    options.label_column = nullptr;
    Read(write("b", "1\n2\n"), options).expect(2, 1, {1, 2}, {});
    /* the ignored column may hold what a label may not */
    Read(write("c", "1,nan\n2,unknown\n"), options).expect(2, 1, {1, 2}, {});
    Read(write("c", "1 nan\n2 \"not known\"\n"), options).expect(2, 1, {1, 2}, {});
    options.label_column = "y";
    Read(write("c", "y,x\n?,1\n,2\n"), options).expect(2, 1, {1, 2}, {});
    Refusal(write("c", "y,x\n?,1,5\n"), options).expect(FR_ERROR_DATA, {"c:2", "found 3 columns", "expected 2"});
}

TEST_F(Csv, LabelsFromAnotherFile) {
    fr_read_options options{};
    std::string text = write("y.txt", "# labels\n7\r\n\n 8.5 \n"),
                array = write("y.npy", npy<float>("<f4", "(2, 1)", {7, 8.5f}));
    for (const std::string *labels : {&text, &array}) {
        options.labels = labels->c_str();
        Read(write("a", "1,2\n3,4\n"), options).expect(2, 2, {1, 2, 3, 4}, {7, 8.5});
    }
    Refusal(write("a", "1,2\n3,4\n5,6\n"), options).expect(FR_ERROR_DATA, {"y.npy", "2 values", "expected 3"});
    options.labels = text.c_str();
    Refusal(at("a"), options).expect(FR_ERROR_DATA, {"y.txt has 2 labels", "expected 3"});
    write("y.txt", "1\nx y\n3\n");
    Refusal(at("a"), options).expect(FR_ERROR_DATA, {"y.txt:2", "\"x y\"", "a number"});
    write("y.txt", "1\n2\ninf\n");
    Refusal(at("a"), options).expect(FR_ERROR_DATA, {"y.txt:3", "\"inf\"", "finite"});
    options.label_column = "1";
    Refusal(at("a"), options).expect(FR_ERROR_USAGE, {"--labels", "--label-column"});
    options.label_column = nullptr;
    std::string none = at("none");
    options.labels = none.c_str();
    Refusal(at("a"), options).expect(FR_ERROR, {"none", "No such file"});
}

TEST_F(Csv, BothPrecisions) {
    fr_read_options options{};
    options.precision = FR_F32;
    Read(write("a", "0.1,16777217\n"), options).expect(1, 1, {(double)0.1f}, {16777216.0});
    EXPECT_EQ(Read(at("a"), options).set->precision, FR_F32);
}

TEST_F(Csv, ReadFromAPipe) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    std::thread writer([&] { write("pipe", "a,y\n1,2\n3,4\n"); });
    Read read(at("pipe"));
    writer.join();
    read.expect(2, 1, {1, 3}, {2, 4});
}

TEST_F(Csv, SourceIsThePath) {
    Read read(write("a.csv", "1,2\n"));
    EXPECT_EQ(std::string(read.set->source), at("a.csv"));
    EXPECT_EQ(fr_dataset_planted(read.set), nullptr);
}

/* ----------------------------------------------------------------------------------- CSV, refused */

TEST_F(Csv, EmptyAndHeaderOnly) {
    Refusal(write("a.csv", "")).expect(FR_ERROR_DATA, {"a.csv is empty"});
    Refusal(write("a.csv", "\xef\xbb\xbf\r\n# x\n  \n")).expect(FR_ERROR_DATA, {"a.csv is empty"});
    Refusal(write("a.csv", "u,v,y\n")).expect(FR_ERROR_DATA, {"a.csv", "header", "no rows"});
    Refusal(write("a.csv", "1\n2\n")).expect(FR_ERROR_DATA, {"a.csv has 1 column", "label"});
}

TEST_F(Csv, RaggedRowsNameLineAndBothCounts) {
    Refusal(write("a", "1,2,3\n4,5,6\n\n7,8\n"))
        .expect(FR_ERROR_DATA, {"a:4", "found 2 columns", "expected 3", "line 1"});
    Refusal(write("a", "u,v,y\n1,2,3,4\n")).expect(FR_ERROR_DATA, {"a:2", "found 4 columns", "expected 3"});
    Refusal(write("a", "1 2 3\n4 5\n")).expect(FR_ERROR_DATA, {"a:2", "found 2 columns", "expected 3"});
    Refusal(write("a", "1,2\n3,4\n5\n")).expect(FR_ERROR_DATA, {"a:3", "found 1 columns", "expected 2"});
    Refusal(write("a", "1,2\n3,4,\n")).expect(FR_ERROR_DATA, {"a:2", "found 3 columns", "expected 2"});
}

TEST_F(Csv, FieldsThatAreNoNumbers) {
    Refusal(write("a", "u,v,y\n1,2,3\n1,abc,3\n"))
        .expect(FR_ERROR_DATA, {"a:3", "column 2 (\"v\")", "\"abc\"", "a number"});
    Refusal(write("a", "1,2,3\n1,,3\n")).expect(FR_ERROR_DATA, {"a:2: column 2: found nothing, expected a number"});
    Refusal(write("a", "1,2,3\n1,2,\n")).expect(FR_ERROR_DATA, {"a:2: column 3: found nothing"});
    Refusal(write("a", "1,2,3\n1,0x10,3\n")).expect(FR_ERROR_DATA, {"a:2", "column 2", "\"0x10\""});
    Refusal(write("a", "1;2\n1,5;2\n")).expect(FR_ERROR_DATA, {"a:2", "\"1,5\"", "decimal point"});
    Refusal(write("a", "1,2\n\"3,4\n")).expect(FR_ERROR_DATA, {"a:2"});
    Refusal(write("a", "1,2\n3 4,5\n")).expect(FR_ERROR_DATA, {"a:2", "\"3 4\""});
    Refusal(write("a", "1,2,3\nNA,2,3\n")).expect(FR_ERROR_DATA, {"a:2", "column 1", "\"NA\""});
}

/* A missing value in the first row must not turn that row into a header. */
TEST_F(Csv, MissingValueInTheFirstRow) {
    Refusal(write("a", "NA,2,3\n4,5,6\n")).expect(FR_ERROR_DATA, {"a:1", "column 1", "\"NA\""});
    Refusal(write("a", "1,,3\n4,5,6\n")).expect(FR_ERROR_DATA, {"a:1", "column 2", "nothing"});
}

TEST_F(Csv, NanInfinityAndOverflowNameTheirPlace) {
    Refusal(write("a", "1,2\n3,nan\n")).expect(FR_ERROR_DATA, {"a:2", "column 2", "\"nan\"", "finite"});
    Refusal(write("a", "nan,2\n")).expect(FR_ERROR_DATA, {"a:1", "column 1", "\"nan\""});
    Refusal(write("a", "x,y\n1,2\n-inf,3\n")).expect(FR_ERROR_DATA, {"a:3", "column 1 (\"x\")", "\"-inf\""});
    Refusal(write("a", "1,2\n1e999,3\n")).expect(FR_ERROR_DATA, {"a:2", "column 1", "\"1e999\"", "finite"});
    fr_read_options options{};
    options.precision = FR_F32;
    Refusal(write("a", "1,2\n1,1e39\n"), options).expect(FR_ERROR_DATA, {"a:2", "column 2", "\"1e39\"", "float32"});
    Read(write("a", "1,2\n1,1e39\n")).expect(2, 1, {1, 1}, {2, 1e39});
}

TEST_F(Csv, UnknownLabelColumnIsAUsageError) {
    fr_read_options options{};
    std::string named = write("a", "u,v,y\n1,2,3\n"), plain = write("b", "1,2,3\n");
    for (const char *column : {"z", "0", "4", "-4", ""}) {
        options.label_column = column;
        Refusal(named, options).expect(FR_ERROR_USAGE, {"a: --label-column", "1 to 3", "u,v,y"});
        Refusal(plain, options).expect(FR_ERROR_USAGE, {"b has 3 columns and no header", "1 to 3"});
    }
    options.label_column = "y";
    Refusal(write("c", "y,y,x\n1,2,3\n"), options).expect(FR_ERROR_USAGE, {"2 columns are named y"});
}

TEST_F(Csv, FeaturesOtherThanExpected) {
    fr_read_options options{};
    options.features = 4;
    Refusal(write("a", "1,2,3\n"), options)
        .expect(FR_ERROR_DATA, {"a:1", "found 3 columns", "expected 4 features and a label"});
}

TEST_F(Csv, FilesThatCannotBeRead) {
    Refusal(at("none.csv")).expect(FR_ERROR, {"none.csv: No such file"});
    Refusal(folder).expect(FR_ERROR, {"directory"});
    Refusal(write("a.csv", std::string("\x7f" "ELF\0\0", 6))).expect(FR_ERROR_DATA, {"a.csv", "binary"});
    Refusal(write("a.csv", std::string("\xff\xfe"
                                       "1\0,\0",
                                       6)))
        .expect(FR_ERROR_DATA, {"a.csv", "UTF-16"});
    if (geteuid() != 0) {
        chmod(write("b.csv", "1,2\n").c_str(), 0);
        Refusal(at("b.csv")).expect(FR_ERROR, {"b.csv: Permission denied"});
    }
}

/* ----------------------------------------------------------------------------------------- LIBSVM */

class Libsvm : public Scratch {};

TEST_F(Libsvm, SparseLinesBecomeDenseRows) {
    Read(write("a", "\xef\xbb\xbf"
                    "1.5 1:2 3:-4e1 # note 9:9\r\n\r\n# comment 5:1\n-1\n+2 2:0.5  \n"))
        .expect(3, 3, {2, 0, -40, 0, 0, 0, 0, 0.5, 0}, {1.5, -1, 2});
    Read(write("b.csv", "0\n1 2:1\n")).expect(2, 2, {0, 0, 0, 1}, {0, 1}); /* told by content */
}

TEST_F(Libsvm, RowsArePaddedToTheExpectedFeatures) {
    fr_read_options options{};
    options.features = 4;
    Read(write("a", "1 2:3\n"), options).expect(1, 4, {0, 3, 0, 0}, {1});
    options.features = 1;
    Refusal(at("a"), options).expect(FR_ERROR_DATA, {"a:1", "index 2", "at most 1"});
    options.features = 2;
    Read(write("c.svm", "1\n2\n"), options).expect(2, 2, {0, 0, 0, 0}, {1, 2});
}

TEST_F(Libsvm, LabelsMayBeIgnoredOrAbsentForPrediction) {
    fr_read_options options{};
    options.without_labels = true;
    Read(write("a", "1 2:3\n"), options).expect(1, 2, {0, 3}, {});
    Read(write("a", "1:5 2:3\n"), options).expect(1, 2, {5, 3}, {});
    std::string labels = write("y", "9\n");
    options = fr_read_options{};
    options.labels = labels.c_str();
    Read(write("a", "1 2:3\n"), options).expect(1, 2, {0, 3}, {9});
}

TEST_F(Libsvm, BadLinesAreNamed) {
    Refusal(write("a", "1 1:2\n1 0:3\n")).expect(FR_ERROR_DATA, {"a:2", "\"0:3\"", "1 or more"});
    Refusal(write("a", "1 0:3 1:2\n")).expect(FR_ERROR_DATA, {"a:1", "\"0:3\"", "1 or more"});
    Refusal(write("a", "1 -1:3 2:4\n")).expect(FR_ERROR_DATA, {"a:1", "\"-1:3\"", "1 or more"});
    Refusal(write("a", "1 1:2 5:1\n1 3:1 2:3\n")).expect(FR_ERROR_DATA, {"a:2", "\"2:3\"", "ascend"});
    Refusal(write("a", "1 9:1 2:3\n")).expect(FR_ERROR_DATA, {"a:1", "ascend"});
    Refusal(write("a", "1 2:1 2:3\n")).expect(FR_ERROR_DATA, {"a:1", "\"2:3\"", "ascend"});
    Refusal(write("a", "1 1:2\n1 1:x\n")).expect(FR_ERROR_DATA, {"a:2", "\"1:x\"", "number"});
    Refusal(write("a", "1 1:2\n1 1:\n")).expect(FR_ERROR_DATA, {"a:2", "\"1:\""});
    Refusal(write("a", "1 1:2\n1 7\n")).expect(FR_ERROR_DATA, {"a:2", "\"7\"", "index:value"});
    Refusal(write("a", "1 1:2\n1 qid:7\n")).expect(FR_ERROR_DATA, {"a:2", "\"qid:7\"", "index:value"});
    Refusal(write("a", "1 1:2\n1:3 2:4\n")).expect(FR_ERROR_DATA, {"a:2", "\"1:3\"", "label"});
    Refusal(write("a", "1,2 1:2\n")).expect(FR_ERROR_DATA, {"a:1", "\"1,2\"", "label"});
    Refusal(write("a", "1 1:2\n1 1:nan\n")).expect(FR_ERROR_DATA, {"a:2", "\"1:nan\"", "finite"});
    Refusal(write("a", "inf 1:2\n")).expect(FR_ERROR_DATA, {"a:1", "\"inf\"", "finite"});
    Refusal(write("a", "1 99999999999999999999:2\n")).expect(FR_ERROR_DATA, {"a:1"});
    Refusal(write("a.svm", "# nothing\n")).expect(FR_ERROR_DATA, {"a.svm is empty"});
    Refusal(write("a.svm", "1\n2\n")).expect(FR_ERROR_DATA, {"no index"});
    fr_read_options options{};
    options.precision = FR_F32;
    Refusal(write("a", "1 1:1e39\n"), options).expect(FR_ERROR_DATA, {"a:1", "\"1:1e39\""});
    options.label_column = "1";
    Refusal(write("a", "1 1:2\n"), options).expect(FR_ERROR_USAGE, {"--label-column"});
}

TEST_F(Libsvm, AnIndexThatNoMemoryHoldsIsRefusedWithTheBytesNeeded) {
    Refusal(write("a", "1 400000000000:1\n")).expect(FR_ERROR, {"needs 3.2 TB", "rows of X", "available"});
    Refusal(write("a", "1 9223372036854775807:1\n2 1:1\n")).expect(FR_ERROR_DATA, {"more than can be counted"});
}

/* ---------------------------------------------------------------------------------------------- watch */

struct Watched {
    int calls = 0, stop_at = 0;
    int64_t last = 0, total = -1;
    static int look(int64_t done, int64_t total, void *user) {
        Watched *w = static_cast<Watched *>(user);
        EXPECT_LE(done, total);
        w->last = done;
        w->total = total;
        return ++w->calls == w->stop_at;
    }
};

class Watch : public Scratch {};

TEST_F(Watch, OfAReadingIsToldHowFarItIsAndMayStopIt) {
    std::string text = "u,v,y\n";
    for (int i = 0; i < 50000; i++) text += std::to_string(i) + ",1,2\n";
    std::string svm = "1 1:2\n2 1:3\n", rows = npy<double>("<f8", "(2, 1)", {1, 2});
    struct {
        std::string path;
        bool labels;
    } files[] = {{write("a.csv", text), true}, {write("a.svm", svm), true}, {write("a.npy", rows), false}};
    for (const auto &file : files) {
        Watched watched;
        fr_read_options options{};
        options.watch = Watched::look;
        options.user = &watched;
        options.without_labels = !file.labels;
        Read all(file.path, options);
        EXPECT_GT(watched.calls, 1) << file.path;
        EXPECT_EQ(watched.last, watched.total) << file.path;
        for (int stop_at : {1, watched.calls}) {
            watched = {};
            watched.stop_at = stop_at;
            Refusal(file.path, options).expect(FR_ERROR, {"reading was interrupted"});
        }
    }
}

} // namespace
