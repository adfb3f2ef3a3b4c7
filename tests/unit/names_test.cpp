/*
 * names_test.cpp - names of columns: kept by data sets and models, matched where rows are predicted.
 */
#include "scratch.h"

#include "fitted.h"
extern "C" {
#include "base/sealed_file.h"
#include "data/names.h"
}

namespace {

using Names = std::vector<std::string>;

class ColumnNames : public Scratch {
  protected:
    static Names of(const fr_dataset *set) {
        const char *const *names = fr_dataset_names(set);
        return names ? Names(names, names + fr_dataset_features(set)) : Names();
    }
    /* What a model with features u, v, w and the label y reads. */
    const char *known[3] = {"u", "v", "w"};
    fr_read_options expecting(const char *label_name = "y") {
        fr_read_options options{};
        options.features = 3;
        options.names = known;
        options.label_name = label_name;
        options.labels_optional = true;
        return options;
    }
};

/* ---------------------------------------------------------------------------------------------- lists */

TEST_F(ColumnNames, AListIsSortedSearchedAndCopiedAsOne) {
    const char *const names[] = {"pear", "apple", "fig", "apple", ""};
    int64_t place[5];
    fr_names_sort(names, 5, place);
    EXPECT_EQ(std::vector<int64_t>(place, place + 5), (std::vector<int64_t>{4, 1, 3, 2, 0}));
    EXPECT_EQ(fr_names_find(names, 5, place, "apple"), 1);
    EXPECT_EQ(fr_names_find(names, 5, place, ""), 0);
    EXPECT_EQ(fr_names_find(names, 5, place, "plum"), 5);
    char **copy = nullptr;
    ASSERT_EQ(fr_names_copy(names, 5, &copy, nullptr), FR_OK);
    EXPECT_EQ(Names(copy, copy + 5), Names(names, names + 5));
    free(copy);
    EXPECT_EQ(fr_names_copy(nullptr, 5, &copy, nullptr), FR_OK);
    EXPECT_EQ(copy, nullptr);
}

/* ---------------------------------------------------------------------------------------------- kept */

TEST_F(ColumnNames, OfAHeaderAreKeptWithoutTheLabels) {
    fr_read_options options{};
    options.label_column = "sold";
    Read first(write("a", "sold,\"a, b\",\"say \"\"x\"\"\",  plain\n1,2,3,4\n"), options);
    EXPECT_EQ(of(first.set), (Names{"a, b", "say \"x\"", "plain"}));
    EXPECT_STREQ(fr_dataset_label_name(first.set), "sold");
    Read last(write("b", "u;v;y\n1;2;3\n"));
    EXPECT_EQ(of(last.set), (Names{"u", "v"}));
    EXPECT_STREQ(fr_dataset_label_name(last.set), "y");
    options.label_column = "say \"x\""; /* found by its name, not by how it is written */
    EXPECT_STREQ(fr_dataset_label_name(Read(at("a"), options).set), "say \"x\"");
}

TEST_F(ColumnNames, AreNoneWithoutAHeaderAndWhereTwoAreEqual) {
    std::string told;
    fr_read_options options{};
    options.remark = [](const char *line, void *user) { *static_cast<std::string *>(user) += line; };
    options.user = &told;
    Read plain(write("a", "1,2,3\n"), options);
    EXPECT_TRUE(of(plain.set).empty());
    EXPECT_EQ(fr_dataset_label_name(plain.set), nullptr);
    EXPECT_EQ(told, "");
    Read twice(write("b", "u,u,y\n1,2,3\n"), options);
    EXPECT_TRUE(of(twice.set).empty());
    EXPECT_NE(told.find("two columns are named u"), std::string::npos) << told;
}

/* -------------------------------------------------------------------------------------------- matched */

TEST_F(ColumnNames, PutAnotherOrderRight) {
    Read(write("a", "u,v,w\n1,2,3\n"), expecting()).expect(1, 3, {1, 2, 3}, {});
    Read(write("a", "w,u,v\n3,1,2\n6,4,5\n"), expecting()).expect(2, 3, {1, 2, 3, 4, 5, 6}, {});
    Read(write("a", "w,y,u,v\n3,9,1,2\n"), expecting()).expect(1, 3, {1, 2, 3}, {9});
    Read(write("a", "y w u v\n9 3 1 2\n8 6 4 5\n"), expecting()).expect(2, 3, {1, 2, 3, 4, 5, 6}, {9, 8});
    EXPECT_EQ(of(Read(at("a"), expecting()).set), (Names{"u", "v", "w"}));
}

TEST_F(ColumnNames, FindTheLabelsOrTakeThemFromWhereTheyAreAskedFor) {
    fr_read_options other = expecting();
    other.label_column = "z";
    Read(write("a", "w,z,u,y,v\n3,7,1,none,2\n"), other).expect(1, 3, {1, 2, 3}, {7});
    fr_read_options apart = expecting();
    std::string labels = write("labels", "5\n");
    apart.labels = labels.c_str();
    Read(write("a", "w,u,y,v\n3,1,9,2\n"), apart).expect(1, 3, {1, 2, 3}, {5});
    Read(write("a", "w,u,y,v\n3,1,none,2\n"), expecting()).expect(1, 3, {1, 2, 3}, {});
}

TEST_F(ColumnNames, AreRefusedWhereOneIsMissingOrUnknownOrTwice) {
    Refusal(write("a", "w,u,y\n3,1,9\n"), expecting()).expect(FR_ERROR_DATA, {"a:1", "missing column \"v\""});
    Refusal(write("a", "w,u,v,snow,y\n3,1,2,0,9\n"), expecting())
        .expect(FR_ERROR_DATA, {"unknown column \"snow\""});
    Refusal(write("a", "a,b,c,d,e\n3,1,2,0,9\n"), expecting())
        .expect(FR_ERROR_DATA, {"missing columns \"u\", \"v\", \"w\"; unknown columns \"a\", \"b\", \"c\", \"d\", \"e\","});
    Refusal(write("a", "w,u,v,u\n3,1,2,0\n"), expecting()).expect(FR_ERROR_DATA, {"two columns are named u"});
    Refusal(write("a", "u,v,w,z\n1,2,3,0\n"), expecting(nullptr))
        .expect(FR_ERROR_DATA, {"unknown column \"z\"", "--label-column"});
}

TEST_F(ColumnNames, DoNotMatterWhereTheFileHasNone) {
    std::string told;
    fr_read_options options = expecting();
    options.remark = [](const char *line, void *user) { *static_cast<std::string *>(user) += line; };
    options.user = &told;
    Read(write("a", "1,2,3,9\n"), options).expect(1, 3, {1, 2, 3}, {9});
    EXPECT_NE(told.find("names no columns"), std::string::npos) << told;
    Read(write("x.npy", npy<double>("<f8", "(1, 3)", {1, 2, 3})), options).expect(1, 3, {1, 2, 3}, {});
}

/* Years for names: numbers, which would be a row if nobody expected them. */
TEST_F(ColumnNames, ThatAreNumbersAreAHeaderWhereTheyAreExpected) {
    const char *years[] = {"2019", "2020"};
    fr_read_options options = expecting();
    options.features = 2;
    options.names = years;
    Read(write("a", "2020,2019\n1,2\n"), options).expect(1, 2, {2, 1}, {});
    Read(write("a", "2018,2019\n1,2\n"), options).expect(2, 2, {2018, 2019, 1, 2}, {});
}

/* ------------------------------------------------------------------------------------------ in models */

const char *const TABLE = "long name,y,v\n1,5,2\n2,7,3\n3,11,5\n4,11,3\n5,9,-1\n";

TEST_F(ColumnNames, OfAModelSurviveItsFile) {
    fr_read_options options{};
    options.label_column = "y";
    Read data(write("a", TABLE), options);
    Fitted fitted;
    fitted.fit(data.set);
    ASSERT_EQ(fr_model_write(fitted.model, at("m").c_str(), nullptr), FR_OK);
    Fitted back(at("m"));
    ASSERT_NE(fr_model_names(back.model), nullptr);
    EXPECT_STREQ(fr_model_names(back.model)[0], "long name");
    EXPECT_STREQ(fr_model_names(back.model)[1], "v");
    EXPECT_STREQ(fr_model_label_name(back.model), "y");
    for (int j = 0; j < 2; j++) EXPECT_EQ(fr_model_weights(back.model)[j], fr_model_weights(fitted.model)[j]);
}

/* A model without names has the bytes that it always had, which an older program reads; those are read here. */
TEST_F(ColumnNames, OfAModelAreNotNeeded) {
    Read data(write("a", std::string(strchr(TABLE, '\n') + 1)));
    Fitted fitted;
    fitted.fit(data.set);
    ASSERT_EQ(fr_model_write(fitted.model, at("m").c_str(), nullptr), FR_OK);
    EXPECT_EQ(read("m")[8], 1) << "the format";
    EXPECT_EQ(fr_model_names(Fitted(at("m")).model), nullptr);
    EXPECT_EQ(fr_model_label_name(Fitted(at("m")).model), nullptr);
}

/* Strings that are too few, too many or without an end, under a seal that is whole. */
TEST_F(ColumnNames, OfAModelAreRefusedWhereTheirNumberIsWrong) {
    const fr_seal seal = {"FRELUMOD", 2, "model", FR_ERROR_DATA, 1};
    struct {
        int64_t features = 2;
        uint32_t flags[4] = {0, 0, 0, 1};
        double intercept = 0, numbers[6] = {1, 2, 0, 0, 1, 1};
    } head;
    auto status_of = [&](const std::string &text) {
        std::string payload(reinterpret_cast<const char *>(&head), sizeof head);
        payload += text;
        EXPECT_EQ(fr_sealed_write(at("m").c_str(), &seal, payload.data(), payload.size(), nullptr), FR_OK);
        fr_model *model = nullptr;
        fr_status status = fr_model_read(at("m").c_str(), &model, nullptr);
        EXPECT_EQ(model == nullptr, status != FR_OK);
        fr_model_free(model);
        return status;
    };
    EXPECT_EQ(status_of(std::string("u\0v\0y\0", 6)), FR_OK);
    EXPECT_EQ(status_of(std::string("\0\0\0", 3)), FR_OK) << "names may be empty";
    for (const std::string &wrong : {std::string("u\0v\0y", 5), std::string("u\0v\0", 4), std::string("u\0v\0y\0z\0", 8)})
        EXPECT_EQ(status_of(wrong), FR_ERROR_DATA);
}

} // namespace
