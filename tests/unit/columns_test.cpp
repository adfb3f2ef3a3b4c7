/*
 * columns_test.cpp - columns chosen and left unread, columns of words, means that a model keeps.
 */
#include "scratch.h"

#include "fitted.h"

#include <cmath>

namespace {

using std::string;
using Names = std::vector<string>;

class Columns : public Scratch {
  protected:
    static Names of(const fr_dataset *set) {
        const char *const *names = fr_dataset_names(set);
        return names ? Names(names, names + fr_dataset_features(set)) : Names();
    }
    static fr_read_options chosen(const char *columns, const char *ignore = nullptr, const char *label = nullptr) {
        fr_read_options options{};
        options.columns = columns;
        options.ignore = ignore;
        options.label_column = label;
        return options;
    }
    /* As `fitrelu predict` reads rows for a model. */
    static fr_read_options expecting(const fr_model *model) {
        fr_read_options options{};
        options.features = fr_model_features(model);
        options.names = fr_model_names(model);
        options.label_name = fr_model_label_name(model);
        options.passed = fr_model_passed(model, &options.passed_count);
        options.means = fr_model_means(model);
        options.missing = options.means ? FR_MISSING_MEAN : FR_MISSING_ERROR;
        options.labels_optional = true;
        return options;
    }
    /* A model of the rows, written and read again. */
    void keep(const string &path, const fr_read_options &options, Fitted &back) {
        Read data(path, options);
        Fitted fitted;
        fitted.fit(data.set);
        ASSERT_EQ(fr_model_write(fitted.model, at("model").c_str(), nullptr), FR_OK);
        ASSERT_EQ(fr_model_read(at("model").c_str(), &back.model, nullptr), FR_OK);
    }
};

/* -------------------------------------------------------------------------------------------- chosen */

const char *const TABLE = "u,\"v, w\",x,y\n1,2,3,4\n5,6,7,8\n";

TEST_F(Columns, AreChosenByNameAndNumber) {
    string path = write("a", TABLE);
    Read both(path, chosen("u,x"));
    both.expect(2, 2, {1, 3, 5, 7}, {4, 8});
    EXPECT_EQ(of(both.set), (Names{"u", "x"}));
    Read(path, chosen("\"v, w\"")).expect(2, 1, {2, 6}, {4, 8});
    Read(path, chosen("2, 1")).expect(2, 2, {1, 2, 5, 6}, {4, 8}); /* in the order of the file */
    Read(path, chosen("-1,u", nullptr, "x")).expect(2, 2, {1, 4, 5, 8}, {3, 7});
    Read(path, chosen(nullptr, "\"v, w\",1")).expect(2, 1, {3, 7}, {4, 8});
    Read(path, chosen(nullptr, "y")).expect(2, 2, {1, 2, 5, 6}, {3, 7}); /* then x is the last */
    Read(write("b", "1,2,3\n4,5,6\n"), chosen("2")).expect(2, 1, {2, 5}, {3, 6});
}

TEST_F(Columns, ThatAreNotReadMayHoldAnything) {
    string path = write("a", "id,u,note,y\na1,1,\"x, y\",4\nb2,5,,8\n");
    Read(path, chosen("u")).expect(2, 1, {1, 5}, {4, 8});
    Read(path, chosen(nullptr, "id,note")).expect(2, 1, {1, 5}, {4, 8});
    fr_read_options drop = chosen("u");
    drop.missing = FR_MISSING_DROP;
    Read(path, drop).expect(2, 1, {1, 5}, {4, 8}); /* what is missing elsewhere drops no row */
}

TEST_F(Columns, OfAListThatIsWrongAreRefused) {
    string path = write("a", TABLE);
    Refusal(path, chosen("u,z")).expect(FR_ERROR_USAGE, {"--columns", "z", "no such column", "1 to 4"});
    Refusal(path, chosen(nullptr, "5")).expect(FR_ERROR_USAGE, {"--ignore", "5"});
    Refusal(path, chosen("u", "x")).expect(FR_ERROR_USAGE, {"--columns u", "--ignore x"});
    Refusal(path, chosen("u", nullptr, "u")).expect(FR_ERROR_USAGE, {"column 1", "label", "--columns"});
    Refusal(path, chosen(nullptr, "y", "y")).expect(FR_ERROR_USAGE, {"column 4", "label", "--ignore"});
    Refusal(path, chosen(nullptr, "1,2,3")).expect(FR_ERROR_DATA, {"at least one feature"});
    Refusal(path, chosen("1,2,3,4")).expect(FR_ERROR_DATA, {"no column is left for the label"});
    Refusal(write("b", "u,u,y\n1,2,3\n"), chosen("u")).expect(FR_ERROR_USAGE, {"2 columns", "number"});
}

/* The column of weights is neither a feature nor the label, and a model knows that it may be there. */
TEST_F(Columns, OfWeightsAreNone) {
    string path = write("a", "id,w,u,v,y,note\n1,2,1,5,2,9\n2,1,2,7,3,9\n3,1,3,11,5,9\n4,0,4,11,3,9\n");
    fr_read_options options = chosen(nullptr, "id,note");
    options.weight_column = "w";
    Read all(path, options);
    all.expect(4, 2, {1, 5, 2, 7, 3, 11, 4, 11}, {2, 3, 5, 3});
    EXPECT_EQ(all.set->weights[0], 2);
    options.ignore = nullptr;
    options.columns = "u,w";
    Refusal(path, options).expect(FR_ERROR_USAGE, {"column 2", "weight", "--columns"});
    options.columns = "u,v";
    options.label_column = "y";
    Fitted kept;
    keep(path, options, kept);
    Read(path, expecting(kept.model)).expect(4, 2, {1, 5, 2, 7, 3, 11, 4, 11}, {2, 3, 5, 3});
}

/* Column 2 is not read: neither is it refused, nor does it leave a row out, nor is it in a mean. */
TEST_F(Columns, OfArraysAndLibsvmAreChosenByNumber) {
    const double bad = NAN;
    string labels = write("labels", "7\n8\n9\n");
    string rows = write("x.npy", npy<double>("<f8", "(3, 3)", {1, bad, 3, bad, INFINITY, 6, 4, 5, 9}));
    string sparse = write("a.svm", "7 1:1 2:nan 3:3\n8 1:nan 3:6\n9 1:4 2:5 3:9\n");
    for (const string &path : {rows, sparse}) {
        fr_read_options options = chosen(nullptr, "2");
        if (path == rows) options.labels = labels.c_str();
        options.missing = FR_MISSING_DROP;
        Read(path, options).expect(2, 2, {1, 3, 4, 9}, {7, 9});
        options.missing = FR_MISSING_MEAN;
        Read mean(path, options);
        mean.expect(3, 2, {1, 3, 2.5, 6, 4, 9}, {7, 8, 9});
        EXPECT_EQ(mean.set->means[1], 6);
        options.ignore = nullptr;
        options.columns = "3";
        options.missing = FR_MISSING_ERROR;
        Read(path, options).expect(3, 1, {3, 6, 9}, {7, 8, 9});
        options.columns = "4";
        Refusal(path, options).expect(FR_ERROR_USAGE, {"--columns \"4\"", "1 to 3"});
        options.columns = nullptr;
        options.ignore = "1,2,3";
        Refusal(path, options).expect(FR_ERROR_USAGE, {"no feature is left"});
    }
}

/* --------------------------------------------------------------------------------------------- words */

const char *const WORDS = "color,size,city,y\nred,1,\"Bonn, am Rhein\",2\nblue,2,Ulm,3\nred,4,Ulm,6\n,8,Ulm,1\n";

TEST_F(Columns, OfWordsAreRefusedAllAtOnce) {
    string path = write("a", WORDS);
    Refusal(path).expect(FR_ERROR_DATA, {"columns \"color\", \"city\" hold words", "\"red\"", "--ignore", "--categories"});
    Refusal(path, chosen(nullptr, "city")).expect(FR_ERROR_DATA, {"column \"color\" holds words"});
    Refusal(write("b", "1,red,3\n2,blue,4\n")).expect(FR_ERROR_DATA, {"column 2 holds words"});
    Refusal(write("c", "u,y\n1,good\n2,bad\n")).expect(FR_ERROR_DATA, {"column \"y\" holds words", "\"good\"", "--label-column"});
    Refusal(path, chosen(nullptr, nullptr, "city")).expect(FR_ERROR_DATA, {"column \"city\" holds words", "\"Bonn, am Rhein\""});
    Refusal(write("d", "u,v,y\n1,2,3\n1,two,3\n")).expect(FR_ERROR_DATA, {"d:3", "column 2", "two"}); /* no column of words */
    string many;
    for (int j = 0; j < 40; j++) many += "a column whose name is long " + std::to_string(j) + ",";
    string line = many + "y\n";
    for (int j = 0; j < 40; j++) line += "word,";
    Refusal(write("e", line + "1\n")).expect(FR_ERROR_DATA, {"long 0", " more hold words", "--categories"});
}

TEST_F(Columns, OfWordsBecomeColumnsOfZeroAndOne) {
    fr_read_options options = chosen(nullptr, "city");
    options.categories = true;
    string path = write("a", WORDS);
    Refusal(path, options).expect(FR_ERROR_DATA, {"a:5", "column 1", "expected a word"});
    options.missing = FR_MISSING_DROP;
    Read drop(path, options);
    drop.expect(3, 3, {0, 1, 1, 1, 0, 2, 0, 1, 4}, {2, 3, 6});
    EXPECT_EQ(of(drop.set), (Names{"color=blue", "color=red", "size"}));
    options.missing = FR_MISSING_MEAN; /* the shares of the words */
    Read(path, options).expect(4, 3, {0, 1, 1, 1, 0, 2, 0, 1, 4, 1. / 3, 2. / 3, 8}, {2, 3, 6, 1});
    options = {};
    options.categories = true;
    Refusal(write("b", "1,red,3\n2,blue,4\n"), options).expect(FR_ERROR_USAGE, {"--categories", "header"});
    Refusal(write("x.npy", npy<double>("<f8", "(1, 1)", {1})), options).expect(FR_ERROR_USAGE, {"--categories"});
    string many = "w,u,y\n";
    for (int i = 0; i < 1001; i++) many += "w" + std::to_string(i) + ",1,2\n";
    Refusal(write("c", many), options).expect(FR_ERROR_DATA, {"column \"w\"", "more than 1000", "--ignore"});
}

/* Words that only some rank's rows hold are columns on every rank. */
TEST_F(Columns, OfWordsAreTheSameWhateverRowsAreKept) {
    fr_read_options options = chosen(nullptr, "city");
    options.categories = true;
    options.all_workers = 2;
    options.worker_count = 1;
    options.missing = FR_MISSING_MEAN;
    string path = write("a", WORDS);
    for (int rank = 0; rank < 2; rank++) {
        options.first_worker = rank;
        Read part(path, options);
        EXPECT_EQ(of(part.set), (Names{"color=blue", "color=red", "size"}));
        EXPECT_EQ(fr_dataset_value(part.set, 1, 2), rank ? 8 : 2);
        EXPECT_EQ(fr_dataset_value(part.set, 1, 0), rank ? 1. / 3 : 1);
    }
}

TEST_F(Columns, OfWordsArePredictedFromByName) {
    fr_read_options options = chosen(nullptr, "city");
    options.categories = true;
    options.missing = FR_MISSING_DROP;
    Fitted kept;
    keep(write("a", WORDS), options, kept);
    fr_read_options expected = expecting(kept.model);
    Read(write("b", "size,color\n5,red\n6,red\n"), expected).expect(2, 3, {0, 1, 5, 0, 1, 6}, {});
    Read(write("c", "y,city,color,size\n9,Ulm,blue,5\n"), expected).expect(1, 3, {1, 0, 5}, {9});
    Read(write("d", "color=red,size,color=blue\n1,5,0\n"), expected).expect(1, 3, {0, 1, 5}, {}); /* made by others */
    Refusal(write("e", "color,size\nred,1\ngreen,2\n"), expected)
        .expect(FR_ERROR_DATA, {"e:3", "column 1 (\"color\")", "\"green\"", "a word that the model knows"});
    Refusal(write("f", "size\n1\n"), expected).expect(FR_ERROR_DATA, {"missing columns \"color=blue\", \"color=red\""});
    Refusal(write("g", "color,size,shape\nred,1,2\n"), expected).expect(FR_ERROR_DATA, {"unknown column \"shape\""});
}

/* --------------------------------------------------------------------------------------------- means */

TEST_F(Columns, HaveTheMeansOfTheFitWhereRowsArePredicted) {
    fr_read_options options{};
    options.categories = true;
    options.missing = FR_MISSING_MEAN;
    Fitted kept;
    keep(write("a", "u,color,v,y\n1,red,5,2\n,blue,6,1\n3,red,7,4\n5,,7,5\n1,red,9,9\n"), options, kept);
    ASSERT_NE(fr_model_means(kept.model), nullptr);
    string told;
    fr_read_options expected = expecting(kept.model);
    expected.user = &told;
    expected.remark = [](const char *line, void *user) { *static_cast<string *>(user) += line; };
    Read(write("b", "v,color,u\n,,\n1,red,2\n,blue,\n"), expected)
        .expect(3, 4, {2.5, 0.25, 0.75, 6.8, 2, 0, 1, 1, 2.5, 1, 0, 6.8}, {});
    EXPECT_NE(told.find("replaced by the mean of the column in the fit"), string::npos) << told;
    expected.missing = FR_MISSING_ERROR;
    Refusal(at("b"), expected).expect(FR_ERROR_DATA, {"b:2"});
}

/* Arrays that cannot lack anything have means too, and those of columns that are not read are not among them. */
TEST_F(Columns, OfArraysKeepTheirMeans) {
    string labels = write("labels", "1\n2\n5\n3\n");
    fr_read_options options = chosen(nullptr, "1");
    options.labels = labels.c_str();
    options.missing = FR_MISSING_MEAN;
    Fitted kept;
    keep(write("x.npy", npy<int32_t>("<i4", "(4, 3)", {9, 1, 2, 9, 2, 2, 9, 4, 5, 9, 3, 3})), options, kept);
    fr_read_options expected = expecting(kept.model);
    expected.ignore = "1";
    Read(write("z.npy", npy<double>("<f8", "(2, 3)", {NAN, NAN, 1, 0, 2, NAN})), expected)
        .expect(2, 2, {2.5, 1, 2, 3}, {});
    expected.ignore = nullptr;
    Read(write("w.npy", npy<double>("<f8", "(1, 2)", {NAN, NAN})), expected).expect(1, 2, {2.5, 3}, {});
}

/* A model that needs no more is written as older programs read it. */
TEST_F(Columns, MakeANewFormatOnlyWhereTheyNeedIt) {
    Fitted plain, passed, means;
    string path = write("a", "u,v,y\n1,5,2\n2,7,3\n3,11,5\n4,11,3\n");
    keep(path, {}, plain);
    EXPECT_EQ(read("model")[8], 2);
    keep(path, chosen("u"), passed);
    EXPECT_EQ(read("model")[8], 3);
    fr_read_options options{};
    options.missing = FR_MISSING_MEAN;
    keep(path, options, means);
    EXPECT_EQ(read("model")[8], 3);
    int64_t count = 7;
    EXPECT_EQ(fr_model_passed(plain.model, &count), nullptr);
    EXPECT_EQ(count, 0);
    ASSERT_NE(fr_model_passed(passed.model, &count), nullptr);
    ASSERT_EQ(count, 1);
    EXPECT_STREQ(fr_model_passed(passed.model, &count)[0], "v");
    EXPECT_EQ(fr_model_means(passed.model), nullptr);
    EXPECT_EQ(fr_model_means(means.model)[0], 2.5);
}

} // namespace
