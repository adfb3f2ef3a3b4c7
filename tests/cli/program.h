/*
 * program.h - runs the real fitrelu in a folder of the test's own and keeps what it said.
 */
#ifndef FR_TEST_PROGRAM_H
#define FR_TEST_PROGRAM_H

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <functional>

#include "../unit/scratch.h"

struct Said {
    int code = -1; /* 128 + signal where one ended it */
    std::string out, err;

    /* One line of failure, that names the words, with this exit code, and nothing on stdout. */
    void refuses(int expected, const std::vector<std::string> &words = {}) const {
        EXPECT_EQ(code, expected) << err;
        EXPECT_EQ(out, "");
        EXPECT_EQ(err.rfind("fitrelu: error: ", 0), 0u) << err;
        EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
        for (const std::string &word : words) EXPECT_NE(err.find(word), std::string::npos) << word << " in: " << err;
    }
};

struct How {
    std::vector<std::string> environment = {};                   /* NAME=value */
    std::string out_path = "";                                   /* stdout goes to this file */
    int signal = 0;                                              /* sent as soon as stderr says something */
    std::function<bool(const std::string &err)> watch = nullptr; /* called as stderr grows, until it returns true */
};

class Program : public Scratch {
  protected:
    /* Blanks separate the arguments. */
    Said run(const std::string &line, const How &how = {}) const {
        std::vector<std::string> words = {FITRELU_PROGRAM};
        for (size_t at = 0; at < line.size();) {
            size_t end = std::min(line.find(' ', at), line.size());
            if (end > at) words.push_back(line.substr(at, end - at));
            at = end + 1;
        }
        return run_words(words, how);
    }

    Said run_words(const std::vector<std::string> &words, const How &how = {}) const {
        Said said;
        int err[2];
        FILE *out = how.out_path.empty() ? tmpfile() : fopen(how.out_path.c_str(), "w");
        if (!out || pipe(err) != 0) {
            ADD_FAILURE() << "no place for the output";
            return said;
        }
        pid_t child = fork();
        if (child == 0) become(words, how, fileno(out), err);
        close(err[1]);
        said.err = drain(err[0], child, how);
        int status = 0;
        waitpid(child, &status, 0);
        said.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        if (how.out_path.empty()) said.out = contents(out);
        fclose(out);
        return said;
    }

  private:
    [[noreturn]] void become(const std::vector<std::string> &words, const How &how, int out, const int err[2]) const {
        std::vector<char *> argv;
        for (const std::string &word : words) argv.push_back(const_cast<char *>(word.c_str()));
        argv.push_back(nullptr);
        /* The machine may be busy with other tests; threads that wait for each other would only make it busier. */
        setenv("OMP_NUM_THREADS", "1", 1);
        for (const std::string &variable : how.environment) putenv(const_cast<char *>(variable.c_str()));
        int in = open("/dev/null", O_RDONLY);
        if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err[1], 2) < 0 || chdir(folder.c_str()) != 0) _exit(99);
        close(err[0]);
        close(err[1]);
        execvp(argv[0], argv.data());
        _exit(99);
    }

    /* Reads to the end of stderr, so that no program waits for a reader. */
    static std::string drain(int descriptor, pid_t child, const How &how) {
        std::string text;
        bool watching = how.watch != nullptr;
        char buffer[4096];
        for (ssize_t got; (got = ::read(descriptor, buffer, sizeof buffer)) > 0;) {
            if (text.empty() && how.signal) kill(child, how.signal);
            text.append(buffer, (size_t)got);
            if (watching) watching = !how.watch(text);
        }
        close(descriptor);
        return text;
    }

    static std::string contents(FILE *file) {
        std::string text;
        char buffer[4096];
        rewind(file);
        for (size_t got; (got = fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, got);
        return text;
    }
};

#endif
