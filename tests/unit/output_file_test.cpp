/*
 * output_file_test.cpp - what lies under the readers and writers: numbers, whole-or-nothing files, memory.
 */
#include "scratch.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cfloat>
#include <cmath>
#include <limits>
#include <thread>

extern "C" {
#include "base/output_file.h"
}
#include "base/parse_number.h"

namespace {

bool parse(const std::string &text, double *value) {
    return fr_parse_double(text.data(), text.data() + text.size(), value);
}

double parsed(const std::string &text) {
    double value = -12345;
    EXPECT_TRUE(parse(text, &value)) << text;
    return value;
}

/* ---------------------------------------------------------------------------------------- numbers */

TEST(ParseNumber, ReadsDecimalNumbersExactly) {
    EXPECT_EQ(parsed("1"), 1.0);
    EXPECT_EQ(parsed("+1.5"), 1.5);
    EXPECT_EQ(parsed("  -2.5e3\t"), -2500.0);
    EXPECT_EQ(parsed(".5"), 0.5);
    EXPECT_EQ(parsed("5."), 5.0);
    EXPECT_EQ(parsed("0.1"), 0.1);
    EXPECT_EQ(parsed("1E+2"), 100.0);
    EXPECT_EQ(parsed("4.9406564584124654e-324"), 4.9406564584124654e-324);
    EXPECT_EQ(parsed("1.7976931348623157e308"), DBL_MAX);
    EXPECT_TRUE(std::signbit(parsed("-0")));
}

TEST(ParseNumber, ReadsNanAndInfinitySoThatTheyCanBeRefusedByPlace) {
    EXPECT_TRUE(std::isnan(parsed("nan")));
    EXPECT_TRUE(std::isnan(parsed("NaN")));
    EXPECT_EQ(parsed("inf"), INFINITY);
    EXPECT_EQ(parsed("-Infinity"), -INFINITY);
}

TEST(ParseNumber, TooLargeIsInfiniteAndTooSmallIsZero) {
    EXPECT_EQ(parsed("1e999"), INFINITY);
    EXPECT_EQ(parsed("-1e400"), -INFINITY);
    EXPECT_EQ(parsed("1" + std::string(400, '0')), INFINITY);
    EXPECT_EQ(parsed("0." + std::string(400, '0') + "1"), 0.0);
    EXPECT_EQ(parsed("1e-999"), 0.0);
    EXPECT_EQ(parsed("-1e-999"), 0.0);
    EXPECT_EQ(parsed("1e99999999999999999999"), INFINITY);
    EXPECT_EQ(parsed("1e-99999999999999999999"), 0.0);
    EXPECT_EQ(parsed("0." + std::string(10, '0') + "1e400"), INFINITY);
}

TEST(ParseNumber, RefusesWhatIsNoDecimalNumber) {
    double value;
    for (const char *text :
         {"", " ", "+", "-", "+-1", "++1", "0x10", "1,5", "1d5", "abc", "1 2", "1e", "--1", ".", "e5"})
        EXPECT_FALSE(parse(text, &value)) << text;
}

TEST(ParseNumber, Integers) {
    auto integer = [](const std::string &text, int64_t *value) {
        return fr_parse_int64(text.data(), text.data() + text.size(), value);
    };
    int64_t value;
    EXPECT_TRUE(integer(" +42 ", &value) && value == 42);
    EXPECT_TRUE(integer("-9223372036854775808", &value) && value == INT64_MIN);
    for (const char *text : {"", "9223372036854775808", "1.0", "x", "1 2", "+-3"})
        EXPECT_FALSE(integer(text, &value)) << text;
}

TEST(FormatDouble, IsShortestAndReadsBackExactly) {
    char text[FR_NUMBER_SIZE];
    EXPECT_EQ(fr_format_double(text, sizeof text, 0.1), 3u);
    EXPECT_STREQ(text, "0.1");
    for (double value : {1.0 / 3, -DBL_MAX, DBL_MIN, 5e-324, 1e300, -2.2250738585072014e-308, 123456789.0}) {
        EXPECT_LT(fr_format_double(text, sizeof text, value), sizeof text);
        EXPECT_EQ(parsed(text), value) << text;
    }
    fr_format_double(text, sizeof text, NAN);
    EXPECT_STREQ(text, "nan");
    fr_format_double(text, sizeof text, -INFINITY);
    EXPECT_STREQ(text, "-inf");
    EXPECT_EQ(fr_format_double(text, 3, 1.0 / 3), 0u);
    EXPECT_STREQ(text, "");
}

/* Uses a locale with a decimal comma both for the process and for the thread, where the machine has one. */
TEST(Locale, DecimalCommaChangesNothing) {
    const char *names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8", "nl_NL.utf8"};
    const char *name = nullptr;
    locale_t comma = (locale_t)0;
    for (const char *each : names) {
        if (!comma && (comma = newlocale(LC_ALL_MASK, each, (locale_t)0))) name = each;
    }
    if (!comma) GTEST_SKIP() << "no locale with a decimal comma is installed";
    ASSERT_NE(setlocale(LC_ALL, name), nullptr);
    locale_t before = uselocale(comma);
    char by_printf[16], text[FR_NUMBER_SIZE];
    snprintf(by_printf, sizeof by_printf, "%.1f", 1.5);
    double value = 0;
    bool read = parse("1.5", &value), comma_read = parse("1,5", &value);
    parse("1.5", &value);
    fr_format_double(text, sizeof text, 1.5);
    fr_error error{};
    void *memory = nullptr;
    fr_allocate(&memory, INT64_C(1) << 50, 8, "rows", &error);
    uselocale(before);
    freelocale(comma);
    setlocale(LC_ALL, "C");
    EXPECT_STREQ(by_printf, "1,5");
    EXPECT_TRUE(read);
    EXPECT_FALSE(comma_read);
    EXPECT_EQ(value, 1.5);
    EXPECT_STREQ(text, "1.5");
    EXPECT_NE(strstr(error.message, "9.0 PB"), nullptr) << error.message;
}

/* ----------------------------------------------------------------------------------- output files */

class OutputFile : public Scratch {
  protected:
    fr_error error{};
    fr_output *out = nullptr;
    fr_status open(const std::string &name) { return fr_output_open(name.c_str(), &out, &error); }
};

TEST_F(OutputFile, AppearsWholeAtCommitOnly) {
    write("f", "old");
    ASSERT_EQ(open(at("f")), FR_OK);
    EXPECT_TRUE(fr_output_printf(out, "%s %d\n", "line", 7));
    std::string big(200000, 'b');
    EXPECT_TRUE(fr_output_write(out, big.data(), big.size()));
    EXPECT_TRUE(fr_output_printf(out, "%s", std::string(3000, 'c').c_str()));
    EXPECT_TRUE(fr_output_write(out, nullptr, 0));
    EXPECT_EQ(fr_output_tell(out), 7 + 200000 + 3000);
    EXPECT_TRUE(fr_output_flush(out));
    EXPECT_EQ(read("f"), "old");
    EXPECT_LE(names().size(), 2u);
    ASSERT_EQ(fr_output_commit(out, &error), FR_OK) << error.message;
    EXPECT_EQ(read("f"), "line 7\n" + big + std::string(3000, 'c'));
    EXPECT_EQ(names().size(), 1u);
}

TEST_F(OutputFile, DiscardLeavesTheOldFileAndNothingElse) {
    write("f", "old");
    ASSERT_EQ(open(at("f")), FR_OK);
    fr_output_printf(out, "new");
    fr_output_discard(out);
    fr_output_discard(nullptr);
    EXPECT_EQ(read("f"), "old");
    EXPECT_EQ(names().size(), 1u);
}

TEST_F(OutputFile, SeekFillsInEarlierBytes) {
    ASSERT_EQ(open(at("f")), FR_OK);
    fr_output_printf(out, "....data");
    EXPECT_TRUE(fr_output_seek(out, 0));
    fr_output_printf(out, "size");
    EXPECT_EQ(fr_output_tell(out), 4);
    ASSERT_EQ(fr_output_commit(out, &error), FR_OK);
    EXPECT_EQ(read("f"), "sizedata");
}

/* Opening such a pipe would wait for a reader for ever. */
TEST_F(OutputFile, APipeThatNobodyReadsIsRefused) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    EXPECT_TRUE(fr_output_is_named_pipe(at("pipe").c_str()));
    EXPECT_EQ(open(at("pipe")), FR_ERROR);
    EXPECT_NE(strstr(error.message, "pipe: nobody reads this pipe"), nullptr) << error.message;
    int reader = ::open(at("pipe").c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_EQ(open(at("pipe")), FR_OK) << error.message;
    fr_output_printf(out, "read");
    EXPECT_EQ(fr_output_commit(out, &error), FR_OK) << error.message;
    char bytes[8] = "";
    EXPECT_EQ(::read(reader, bytes, sizeof bytes), 4);
    EXPECT_STREQ(bytes, "read");
    close(reader);
}

TEST_F(OutputFile, OnlyAPipeWithANameOfItsOwnIsANamedPipe) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    EXPECT_FALSE(fr_output_is_named_pipe(("/dev/fd/" + std::to_string(ends[1])).c_str()));
    EXPECT_FALSE(fr_output_is_named_pipe(write("f", "").c_str()));
    EXPECT_FALSE(fr_output_is_named_pipe(at("none").c_str()));
    close(ends[0]);
    close(ends[1]);
}

TEST_F(OutputFile, FullDeviceIsReported) {
    if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full";
    ASSERT_EQ(open("/dev/full"), FR_OK);
    fr_output_printf(out, "x");
    EXPECT_EQ(fr_output_commit(out, &error), FR_ERROR);
    EXPECT_STREQ(error.message, "cannot write /dev/full: No space left on device");
    struct stat about;
    ASSERT_EQ(stat("/dev/full", &about), 0);
    EXPECT_TRUE(S_ISCHR(about.st_mode)) << "the device must not be replaced by a file";
}

/* A limit on the size of files stands for a disk that fills up in the middle. */
TEST_F(OutputFile, FailureInTheMiddleLeavesTheOldFileAndNoTemporary) {
    write("f", "old");
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 100000;
    auto handler = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    fr_status opened = open(at("f"));
    std::string big(300000, 'b');
    bool written = fr_output_write(out, big.data(), big.size());
    bool after = fr_output_printf(out, "more");
    fr_status status = fr_output_commit(out, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    EXPECT_EQ(opened, FR_OK);
    EXPECT_FALSE(written);
    EXPECT_FALSE(after);
    EXPECT_EQ(status, FR_ERROR);
    EXPECT_NE(strstr(error.message, "/f: File too large"), nullptr) << error.message;
    EXPECT_EQ(read("f"), "old");
    EXPECT_EQ(names().size(), 1u);
}

TEST_F(OutputFile, UnwritableTargetsFailAtOnce) {
    EXPECT_EQ(open(folder), FR_ERROR);
    EXPECT_NE(strstr(error.message, "Is a directory"), nullptr) << error.message;
    EXPECT_EQ(open(at("none/f")), FR_ERROR);
    EXPECT_NE(strstr(error.message, "none/f: No such file or directory"), nullptr) << error.message;
    EXPECT_EQ(open(""), FR_ERROR);
    EXPECT_EQ(open(at("f/")), FR_ERROR);
    write("file", "");
    EXPECT_EQ(open(at("file/f")), FR_ERROR);
    EXPECT_NE(strstr(error.message, "Not a directory"), nullptr) << error.message;
    EXPECT_EQ(names().size(), 1u);
}

TEST_F(OutputFile, ReadOnlyFileIsRefused) {
    if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
    chmod(write("f", "old").c_str(), 0400);
    EXPECT_EQ(open(at("f")), FR_ERROR);
    EXPECT_NE(strstr(error.message, "Permission denied"), nullptr) << error.message;
}

TEST_F(OutputFile, KeepsTheModeAndFollowsLinks) {
    chmod(write("f", "old").c_str(), 0640);
    ASSERT_EQ(symlink("f", at("link").c_str()), 0);
    ASSERT_EQ(open(at("link")), FR_OK);
    fr_output_printf(out, "new");
    ASSERT_EQ(fr_output_commit(out, &error), FR_OK);
    EXPECT_EQ(read("f"), "new");
    struct stat about;
    ASSERT_EQ(lstat(at("link").c_str(), &about), 0);
    EXPECT_TRUE(S_ISLNK(about.st_mode));
    ASSERT_EQ(stat(at("f").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, (mode_t)0640);
}

TEST_F(OutputFile, PipeIsWrittenDirectlyAndCannotSeek) {
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    std::string got;
    std::thread reader([&] { got = read("pipe"); });
    fr_status opened = open(at("pipe"));
    fr_output_printf(out, "through");
    fr_status status = fr_output_commit(out, &error);
    reader.join();
    EXPECT_EQ(opened, FR_OK);
    EXPECT_EQ(status, FR_OK) << error.message;
    EXPECT_EQ(got, "through");
}

/* A program started with a stream closed would print into a file that got its number. */
TEST_F(OutputFile, IsNeverADescriptorOfAStream) {
    int saved = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    fr_status opened = open(at("f"));
    int taken = fcntl(STDIN_FILENO, F_GETFD);
    dup2(saved, STDIN_FILENO);
    close(saved);
    EXPECT_EQ(opened, FR_OK);
    EXPECT_EQ(taken, -1);
    fr_output_printf(out, "ours");
    EXPECT_EQ(fr_output_commit(out, &error), FR_OK);
    EXPECT_EQ(read("f"), "ours");
}

/* fitrelu ... --history /dev/stdout > file: the file must keep what else is printed, not be replaced. */
TEST_F(OutputFile, StandardOutputKeepsItsFile) {
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int file = ::open(at("f").c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(file, STDOUT_FILENO);
    close(file);
    bool first = ::write(STDOUT_FILENO, "before\n", 7) == 7;
    fr_status opened = open("/dev/stdout");
    if (opened == FR_OK) fr_output_printf(out, "ours\n");
    fr_status status = opened == FR_OK ? fr_output_commit(out, &error) : opened;
    bool last = ::write(STDOUT_FILENO, "after\n", 6) == 6;
    dup2(saved, STDOUT_FILENO);
    close(saved);
    EXPECT_EQ(status, FR_OK) << error.message;
    EXPECT_TRUE(first && last);
    EXPECT_EQ(read("f"), "before\nours\nafter\n");
}

/* ------------------------------------------------------------------------------- status and memory */

TEST(Status, FailFillsTheLineAndAcceptsNull) {
    fr_error error{};
    EXPECT_EQ(fr_fail(&error, FR_ERROR_DATA, "%s:%d", "file", 3), FR_ERROR_DATA);
    EXPECT_STREQ(error.message, "file:3");
    EXPECT_EQ(error.rank, -1);
    EXPECT_EQ(error.device, -1);
    EXPECT_EQ(error.step, -1);
    EXPECT_EQ(fr_fail(nullptr, FR_ERROR_USAGE, "x"), FR_ERROR_USAGE);
    errno = ENOENT;
    EXPECT_EQ(fr_fail_errno(&error, FR_ERROR, "open %s", "f"), FR_ERROR);
    EXPECT_STREQ(error.message, "open f: No such file or directory");
    fr_fail(&error, FR_ERROR, "%s", std::string(2000, 'x').c_str());
    EXPECT_EQ(strlen(error.message), sizeof error.message - 1);
}

/* Whether a line names a rank or a step is a matter of fields, whatever words stand in it. */
TEST(Status, ALineNamesItsRankAndItsStepOnce) {
    fr_error error{};
    fr_fail(&error, FR_ERROR_TIMEOUT, "rank and file, step by step");
    error.device = 3;
    for (int i = 0; i < 2; i++) {
        fr_error_name_rank(&error, 2 + i);
        fr_error_name_step(&error, 17 + i);
    }
    EXPECT_STREQ(error.message, "rank 2: rank and file, step by step (step 17)");
    EXPECT_EQ(error.status, FR_ERROR_TIMEOUT);
    EXPECT_EQ(error.rank, 2);
    EXPECT_EQ(error.device, 3);
    EXPECT_EQ(error.step, 17);
    EXPECT_EQ(fr_fail_on_rank(&error, FR_ERROR_DEVICE, 1, "rank %d: gone", 1), FR_ERROR_DEVICE);
    fr_error_name_rank(&error, 5);
    EXPECT_STREQ(error.message, "rank 1: gone");
    EXPECT_EQ(error.rank, 1);
    fr_fail(&error, FR_ERROR, "%s", std::string(2000, 'x').c_str());
    fr_error_name_step(&error, 1);
    EXPECT_NE(strstr(error.message, "x (step 1)"), nullptr) << "a long line is cut before the step";
    fr_error_name_rank(nullptr, 1);
    fr_error_name_step(nullptr, 1);
}

TEST(Memory, IsAlignedAndZeroed) {
    for (int64_t count : {INT64_C(0), INT64_C(1), INT64_C(1000003)}) {
        void *memory = nullptr;
        ASSERT_EQ(fr_allocate(&memory, count, 8, "values", nullptr), FR_OK);
        ASSERT_NE(memory, nullptr);
        EXPECT_EQ((uintptr_t)memory % 64, 0u);
        for (int64_t i = 0; i < count; i++) ASSERT_EQ(((double *)memory)[i], 0.0);
        free(memory);
    }
}

TEST(Memory, MoreThanThereIsIsRefusedWithBothSizes) {
    fr_error error{};
    void *memory = &error;
    EXPECT_EQ(fr_allocate(&memory, INT64_C(400000000000), 8, "rows of X", &error), FR_ERROR);
    EXPECT_EQ(memory, nullptr);
    EXPECT_NE(strstr(error.message, "needs 3.2 TB for rows of X (400000000000 times 8 bytes), "), nullptr)
        << error.message;
    EXPECT_NE(strstr(error.message, "B available"), nullptr) << error.message;
    EXPECT_EQ(fr_allocate(&memory, INT64_MAX, 8, "rows", &error), FR_ERROR);
    EXPECT_NE(strstr(error.message, "73.7 EB"), nullptr) << error.message;
    EXPECT_EQ(fr_allocate(&memory, -1, 8, "rows", &error), FR_ERROR);
}

TEST(Memory, AvailableFollowsTheLimitOfTheProcess) {
    uint64_t free_memory = fr_memory_available();
    EXPECT_GT(free_memory, UINT64_C(1) << 20);
    EXPECT_LT(free_memory, UINT64_C(1) << 60);
#if !defined(__SANITIZE_ADDRESS__)
    struct rlimit before, small;
    getrlimit(RLIMIT_AS, &before);
    small = before;
    small.rlim_cur = UINT64_C(64) << 30;
    setrlimit(RLIMIT_AS, &small);
    uint64_t limited = fr_memory_available();
    setrlimit(RLIMIT_AS, &before);
    EXPECT_LE(limited, UINT64_C(64) << 30);
#endif
}

} // namespace
