/*
 * data_test.cpp - data files that are refused, and oddities that are not.
 */
#include <regex>

#include "samples.h"

struct BadFile {
    const char *name, *bytes;
    std::vector<std::string> words;
};
static void PrintTo(const BadFile &bad, std::ostream *out) { *out << bad.name; }

class BadData : public Program, public ::testing::WithParamInterface<BadFile> {};

TEST_P(BadData, IsRefusedInOneLineThatSaysWhere) {
    write(GetParam().name, GetParam().bytes);
    std::vector<std::string> words = GetParam().words;
    words.push_back(GetParam().name);
    run(std::string("fit --model kept --history curve.csv --data ") + GetParam().name).refuses(5, words);
    EXPECT_EQ(names(), std::vector<std::string>{GetParam().name}) << "no output file is left";
}

INSTANTIATE_TEST_SUITE_P(Table, BadData,
                         ::testing::Values(BadFile{"nan.csv", "a,b,y\n1,2,3\n1,nan,3\n", {"nan", "3"}},
                                           BadFile{"inf.csv", "a,b,y\n1,2,3\n1,1,inf\n", {"inf", "3"}},
                                           BadFile{"ragged.csv", "1,2,3\n4,5\n", {"2", "3"}},
                                           BadFile{"empty.csv", "", {"empty"}}, BadFile{"header.csv", "a,b,y\n", {}},
                                           BadFile{"word.csv", "1,2,3\n4,five,6\n", {"five", "2"}},
                                           BadFile{"negative.csv", "1,2,-3\n4,5,0\n", {"above 0"}},
                                           BadFile{"descending.libsvm", "1 2:1 1:3\n", {"1"}},
                                           BadFile{"zero.libsvm", "1 0:1\n", {"0"}},
                                           BadFile{"truncated.npy", "\x93NUMPY\x01", {}},
                                           BadFile{"damaged.npz", "PK\3\4 not really", {}}));

TEST_F(Program, ByteOrderMarkAndCarriageReturnsAreFine) {
    std::string text = "\xef\xbb\xbf" + std::regex_replace(csv(), std::regex("\n"), "\r\n");
    write("windows.csv", text);
    write("plain.csv", csv());
    EXPECT_EQ(run("fit --data windows.csv --label-column y --quiet --model one").code, 0);
    EXPECT_EQ(run("fit --data plain.csv --label-column 3 --quiet --model other").code, 0);
    EXPECT_EQ(read("one"), read("other"));
}

TEST_F(Program, LabelsOfAnotherLengthAreRefused) {
    write("rows.csv", "1,2\n3,4\n5,6\n");
    write("labels", "1\n2\n");
    run("fit --data rows.csv --labels labels").refuses(5, {"labels", "2", "3"});
    run("fit --data rows.csv --label-column price").refuses(2, {"price", "no header"});
}

TEST_F(Program, AColumnThatOverflowsIsNamed) {
    write("rows.csv", "a,b,y\n1,1e160,1\n2,-3e160,2\n3,1e159,1\n");
    run("fit --data rows.csv --quiet").refuses(5, {"rows.csv", "column 2"});
}
