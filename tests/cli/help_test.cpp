/*
 * help_test.cpp - what the program says about itself: --help, the man page, completions, info.
 */
#include <regex>
#include <set>

#include "samples.h"

static const char *const COMMANDS[] = {"fit", "predict", "generate", "experiment", "plan", "bench", "show", "info"};

TEST_F(Program, HelpAndVersionWorkEverywhere) {
    for (const char *how : {"--help", "-h", "help"})
        EXPECT_NE(run(how).out.find("Usage: fitrelu"), std::string::npos);
    for (const char *how : {"--version", "-V"})
        EXPECT_EQ(run(how).out, std::string("fitrelu ") + fr_version() + "\n");
    for (std::string command : COMMANDS) {
        Said help = run(command + " --help");
        EXPECT_EQ(help.code, 0);
        EXPECT_NE(help.out.find("Usage: fitrelu " + command), std::string::npos);
        EXPECT_EQ(help.out, run("help " + command).out);
        EXPECT_EQ(run(command + " --version").out, run("--version").out);
    }
    Said bare = run("");
    EXPECT_EQ(bare.code, 2);
    EXPECT_EQ(bare.out, "");
}

/* "plan: the error to reach", or the name of a figure where there are none. */
TEST_F(Program, HelpSpeaksOfItsOwnCommandAlone) {
    for (std::string command : COMMANDS) {
        std::string help = run(command + " --help").out;
        for (std::string other : COMMANDS) {
            bool is_word = other == "experiment" && command == "fit"; /* of --step-size */
            if (other != command && !is_word)
                EXPECT_FALSE(std::regex_search(help, std::regex(other + ":"))) << other << " in help of " << command;
        }
        for (std::string name : {"fig1a", "fig2a", "table2"})
            EXPECT_EQ(help.find(name) != std::string::npos, command == "experiment")
                << name << " in help of " << command;
    }
    EXPECT_EQ(run("fit --help").out.find("default: 1e-6"), std::string::npos);
    EXPECT_NE(run("plan --help").out.find("default: 1e-6"), std::string::npos);
    std::string man = run("--generate man").out;
    EXPECT_NE(man.find("reach (default: 1e\\-6).\nCommand: plan.\n"), std::string::npos);
    EXPECT_NE(man.find("where it was not reached.\nCommand: fit.\n"), std::string::npos);
    std::string fish = run("--generate fish").out;
    EXPECT_NE(fish.find("from generate' -l output -s o -r -F -d 'the file to write"), std::string::npos);
}

/* The long options that a help text lists. */
static std::set<std::string> options_in(const std::string &help) {
    std::set<std::string> found;
    for (const std::string &line : lines_of(help)) {
        std::smatch match;
        if (std::regex_search(line, match, std::regex("^  (?:-.,|   ) --([a-z0-9-]+)"))) found.insert(match[1]);
    }
    return found;
}

TEST_F(Program, ManPageAndCompletionsKnowEveryOptionAndCommand) {
    std::string man = std::regex_replace(run("--generate man").out, std::regex("\\\\-"), "-");
    std::string bash = run("--generate bash").out, zsh = run("--generate zsh").out, fish = run("--generate fish").out;
    EXPECT_GT(options_in(run("fit --help").out).size(), 30u);
    for (std::string command : COMMANDS) {
        for (const std::string *text : {&man, &bash, &zsh, &fish})
            EXPECT_NE(text->find(command), std::string::npos) << command;
        for (const std::string &option : options_in(run(command + " --help").out)) {
            EXPECT_NE(man.find("--" + option + "\\fR"), std::string::npos) << option;
            EXPECT_NE(bash.find("--" + option + " "), std::string::npos) << option;
            EXPECT_NE(zsh.find("--" + option), std::string::npos) << option;
            EXPECT_NE(fish.find("-l " + option + " "), std::string::npos) << option;
        }
    }
}

TEST_F(Program, BashCompletesCommandsOptionsAndWords) {
    write("completion", run("--generate bash").out);
    auto complete = [&](const std::string &words, int position) {
        std::string script = ". ./completion && COMP_WORDS=(" + words + ") COMP_CWORD=" + std::to_string(position) +
                             " && { _fitrelu; echo ${COMPREPLY[*]}; }";
        Said said = run_words({"bash", "-c", script});
        EXPECT_EQ(said.err, "");
        return said.out;
    };
    if (run_words({"bash", "-c", "true"}).code != 0) GTEST_SKIP() << "no bash here";
    EXPECT_EQ(complete("fitrelu pr", 1), "predict\n");
    EXPECT_EQ(complete("fitrelu fit --ba", 2), "--batch\n");
    EXPECT_EQ(complete("fitrelu predict --ba", 2), "\n") << "not an option of predict";
    EXPECT_EQ(complete("fitrelu fit --collective all", 3), "allreduce allgather\n");
    EXPECT_EQ(complete("fitrelu fit --init ze", 3), "zero\n");
}

TEST_F(Program, InfoNamesVersionAndCompiler) {
    Said said = run("info");
    EXPECT_EQ(said.code, 0);
    for (std::string word : {"program: fitrelu\n", "version: ", "compiler: "})
        EXPECT_NE(said.out.find(word), std::string::npos) << word;
}
