/*
 * input_test.cpp - the program and the files it is given: pipes, standard input, headers, missing values, signals while
 * nobody writes.
 */
#include <thread>

#include "program.h"

namespace {

class Input : public Program {
  protected:
    /* y = 2 u + v, of which the first line of data may be another. */
    std::string table(const std::string &head = "u,v,y\n") {
        std::string text = head;
        for (int i = 1; i <= 40; i++)
            text += std::to_string(i) + "," + std::to_string(i * 7 % 11) + "," + std::to_string(2 * i + i * 7 % 11) +
                    "\n";
        return text;
    }
    Said shell(const std::string &line) { return run_words({"sh", "-c", line}); }
    const std::string program = FITRELU_PROGRAM;
};

TEST_F(Input, StandardInputServesFitAndPredict) {
    write("rows.csv", table());
    std::string bare;
    for (int i = 1; i <= 5; i++) bare += std::to_string(i) + ",1\n";
    write("bare.csv", bare);
    EXPECT_EQ(run("fit --data rows.csv --quiet --model one").code, 0);
    Said expected = run("predict one bare.csv");
    EXPECT_EQ(expected.code, 0) << expected.err;
    for (const char *name : {"-", "/dev/stdin"}) {
        Said fit = shell("cat rows.csv | " + program + " fit --quiet --model two --data " + name);
        EXPECT_EQ(fit.code, 0) << fit.err;
        EXPECT_EQ(read("two"), read("one"));
        Said predict = shell("cat bare.csv | " + program + " predict one " + name);
        EXPECT_EQ(predict.code, 0) << predict.err;
        EXPECT_EQ(predict.out, expected.out) << "rows without labels, read once";
        Said judged = shell(program + " predict one " + name + " < rows.csv");
        EXPECT_NE(judged.err.find("40 rows with labels"), std::string::npos) << judged.err;
    }
    shell("cat rows.csv | " + program + " fit --data - --labels /dev/stdin").refuses(2, {"both", "standard input"});
}

TEST_F(Input, ANamedPipeIsRefusedAsModelOrCheckpoint) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    for (const char *option : {"--model", "--checkpoint"})
        run(std::string("fit -n 40 -d 2 -T 2 --quiet ") + option + " pipe").refuses(1, {"pipe", "named pipe"});
    run("fit -n 40 -d 2 -T 2 --quiet --history pipe").refuses(1, {"pipe", "nobody reads"});
    Said piped = shell(program + " fit -n 40 -d 2 -T 2 --quiet --json --model /dev/stderr 2>model");
    EXPECT_EQ(piped.code, 0);
    EXPECT_NE(read("model").size(), 0u);
}

/* The signal is sent once the program has opened the pipe, into which nothing is ever written. */
TEST_F(Input, TheFirstSignalEndsAReadingThatWaits) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    for (const char *data : {"--data pipe", "--data - < pipe"})
        for (int number : {SIGTERM, SIGINT}) {
            std::thread sender([&] {
                int writer = ::open(at("pipe").c_str(), O_WRONLY);
                kill((pid_t)std::stol(read("pid")), number);
                char
                    byte; /* held open until the program has gone: it must not be the end of the file that it hears */
                while (kill((pid_t)std::stol(read("pid")), 0) == 0 && ::write(writer, &byte, 0) == 0)
                    std::this_thread::yield();
                close(writer);
            });
            Said said = shell("echo $$ > pid; exec " + program + " fit " + data);
            sender.join();
            EXPECT_EQ(said.code, 128 + number) << said.err;
        }
}

TEST_F(Input, HeaderIsAnOptionOfFitAndPredict) {
    write("rows.csv", table("0,1,2\n"));
    Said fit = run("fit --data rows.csv --model kept");
    EXPECT_EQ(fit.code, 0);
    EXPECT_NE(fit.err.find("fitrelu: rows.csv: line 1 is 0, 1, 2, ... and taken for numbers of columns"),
              std::string::npos)
        << fit.err;
    EXPECT_NE(fit.out.find("40 rows of 2 features"), std::string::npos) << fit.out;
    EXPECT_NE(run("fit --data rows.csv --header no").out.find("41 rows of 2 features"), std::string::npos);
    EXPECT_EQ(run("fit --data rows.csv --quiet").err, "");
    Said yes = run("predict kept rows.csv --header yes"), no = run("predict kept rows.csv --header no");
    EXPECT_EQ(std::count(yes.out.begin(), yes.out.end(), '\n'), 40);
    EXPECT_EQ(std::count(no.out.begin(), no.out.end(), '\n'), 41);
    run("fit --data rows.csv --header maybe").refuses(2, {"--header", "auto, yes or no"});
    run("fit -n 40 --header yes").refuses(2, {"--header", "--data"});
}

TEST_F(Input, MissingValuesAreRefusedLeftOutOrReplaced) {
    write("rows.csv", table() + "5,NA,12\n#DIV/0!,1,3\n");
    run("fit --data rows.csv").refuses(5, {"rows.csv:42: column 2 (\"v\")", "\"NA\"", "--missing drop"});
    Said drop = run("fit --data rows.csv --missing drop --model kept");
    EXPECT_EQ(drop.code, 0);
    EXPECT_NE(drop.err.find("2 rows left out"), std::string::npos) << drop.err;
    EXPECT_NE(drop.out.find("40 rows of 2 features"), std::string::npos) << drop.out;
    Said mean = run("fit --data rows.csv --missing mean");
    EXPECT_NE(mean.err.find("2 missing values replaced by the mean"), std::string::npos) << mean.err;
    Said predicted = run("predict kept rows.csv --missing mean");
    EXPECT_EQ(std::count(predicted.out.begin(), predicted.out.end(), '\n'), 42) << predicted.err;
    run("predict kept rows.csv").refuses(5, {"rows.csv:42"});
}

TEST_F(Input, NumbersOutOfRangeAreRefusedAndNotReadAsZero) {
    run("fit -n 40 -d 2 --step-size 1e9223372036854775807").refuses(2, {"--step-size", "1e9223372036854775807"});
    run("fit -n 40 -d 2 --noise 1e9223372036854775807").refuses(2, {"--noise"});
    write("rows.csv", "u,v,y\n1,1e160,3\n2,1,4\n");
    run("fit --data rows.csv").refuses(5, {"rows.csv:2: column 2 (\"v\")", "\"1e160\"", "1e150"});
}

} // namespace
