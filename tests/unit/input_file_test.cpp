/*
 * input_file_test.cpp - the bytes of input files, however they come: pieces, pipes, compressed; and their lines.
 */
#include "scratch.h"

#include "packed.h"

#include <atomic>
#include <thread>

extern "C" {
#include "base/lines.h"
}

namespace {

using std::string;

class InputFile : public Scratch {
  protected:
    fr_error error{};
    fr_text text{};
    string path; /* borrowed by the text */
    void TearDown() override {
        fr_text_close(&text);
        Scratch::TearDown();
    }
    fr_status open_text(const string &name, fr_stop stop = {}) {
        path = at(name);
        return fr_text_open(path.c_str(), stop, &text, &error);
    }
    string content() {
        fr_stream *stream = nullptr;
        string all;
        EXPECT_EQ(fr_stream_open(&text, &stream, &error), FR_OK) << error.message;
        char bytes[1000];
        size_t got = 0;
        do {
            EXPECT_EQ(fr_stream_read(stream, bytes, sizeof bytes, &got, &error), FR_OK) << error.message;
            all.append(bytes, got);
        } while (got > 0);
        fr_stream_free(stream);
        return all;
    }
    /* The status with which reading to the end stops. */
    fr_status read_to_the_end() {
        fr_stream *stream = nullptr;
        fr_status status = fr_stream_open(&text, &stream, &error);
        char bytes[1000];
        for (size_t got = 1; status == FR_OK && got > 0;)
            status = fr_stream_read(stream, bytes, sizeof bytes, &got, &error);
        fr_stream_free(stream);
        return status;
    }
};

string many_lines(int count) {
    string bytes;
    for (int i = 0; i < count; i++) bytes += std::to_string(i) + "\n";
    return bytes;
}

/* -------------------------------------------------------------------------------------------- bytes */

TEST_F(InputFile, PiecesAnywhere) {
    string bytes = many_lines(60000);
    write("a", bytes);
    ASSERT_EQ(open_text("a"), FR_OK);
    EXPECT_EQ(text.size, bytes.size());
    char piece[100];
    size_t got;
    for (size_t offset :
         {size_t(0), size_t(5), bytes.size() - 100, bytes.size() - 7, bytes.size(), bytes.size() + 9}) {
        ASSERT_EQ(fr_text_read(&text, offset, piece, sizeof piece, &got, &error), FR_OK) << error.message;
        EXPECT_EQ(string(piece, got), offset < bytes.size() ? bytes.substr(offset, sizeof piece) : "");
    }
    EXPECT_EQ(content(), bytes);
}

TEST_F(InputFile, EmptyFileOpens) {
    write("a", "");
    ASSERT_EQ(open_text("a"), FR_OK);
    EXPECT_EQ(text.size, 0u);
    FR_OWNED_LINES fr_lines lines{};
    ASSERT_EQ(fr_lines_open(&text, &lines, &error), FR_OK);
    EXPECT_FALSE(fr_lines_next(&lines));
    EXPECT_EQ(lines.status, FR_OK);
}

TEST_F(InputFile, ReadsAPipeToItsEnd) {
    string bytes = many_lines(60000);
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    std::thread writer([&] { write("pipe", bytes); });
    fr_status status = open_text("pipe");
    writer.join();
    ASSERT_EQ(status, FR_OK) << error.message;
    EXPECT_EQ(content(), bytes);
    EXPECT_EQ(content(), bytes) << "as often as wanted";
}

TEST_F(InputFile, MissingFileAndFolderAreInputErrors) {
    EXPECT_EQ(open_text("none"), FR_ERROR);
    EXPECT_NE(strstr(error.message, "none: No such file"), nullptr) << error.message;
    EXPECT_EQ(open_text(""), FR_ERROR);
    EXPECT_NE(strstr(error.message, "is a directory"), nullptr) << error.message;
}

/* A pipe whose writer never comes, and one whose writer never goes: the wish to stop is heard in both. */
TEST_F(InputFile, AStopIsHeardWhileNobodyWrites) {
    std::atomic<int> asked{0};
    fr_stop stop = {[](void *user) { return ++*static_cast<std::atomic<int> *>(user) >= 2 ? 1 : 0; }, &asked, nullptr};
    ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
    EXPECT_EQ(open_text("pipe", stop), FR_ERROR);
    EXPECT_NE(strstr(error.message, "reading was interrupted"), nullptr) << error.message;
    int writer = open(at("pipe").c_str(), O_RDWR);
    asked = 0;
    EXPECT_EQ(open_text("pipe", stop), FR_ERROR);
    close(writer);
}

TEST_F(InputFile, AStopIsHeardBetweenPieces) {
    int count = 0;
    write("a", many_lines(400000));
    ASSERT_EQ(open_text("a", {[](void *user) { return ++*static_cast<int *>(user) > 3 ? 1 : 0; }, &count, nullptr}), FR_OK);
    EXPECT_EQ(read_to_the_end(), FR_ERROR);
    EXPECT_NE(strstr(error.message, "interrupted"), nullptr) << error.message;
}

/* A mapped file would end the process. */
TEST_F(InputFile, AFileThatShrinksIsTheFilesFault) {
    string bytes = many_lines(100000);
    write("a", bytes);
    ASSERT_EQ(open_text("a"), FR_OK);
    ASSERT_EQ(truncate(at("a").c_str(), 1000), 0);
    EXPECT_EQ(read_to_the_end(), FR_ERROR_DATA);
    EXPECT_NE(strstr(error.message, "became shorter while it was read: it ends after 1000 bytes"), nullptr)
        << error.message;
}

/* --------------------------------------------------------------------------------------- compressed */

#ifdef FR_HAVE_ZLIB
TEST_F(InputFile, GzipOfOneMemberAndOfSeveral) {
    string bytes = many_lines(200000);
    for (const string &packed : {gzipped(bytes), gzipped(bytes.substr(0, 70000)) + gzipped(bytes.substr(70000)),
                                 gzipped("") + gzipped(bytes) + gzipped("")}) {
        write("a", packed);
        ASSERT_EQ(open_text("a"), FR_OK);
        EXPECT_EQ(content(), bytes);
        uint64_t size = 0;
        EXPECT_EQ(fr_stream_size(&text, &size, &error), FR_OK);
        EXPECT_EQ(size, bytes.size());
        fr_text_close(&text);
    }
}
#endif

#ifdef FR_HAVE_ZSTD
TEST_F(InputFile, ZstdOfOneFrameAndOfSeveral) {
    string bytes = many_lines(200000);
    for (const string &packed :
         {zstd_packed(bytes), zstd_packed(bytes.substr(0, 70000)) + zstd_packed(bytes.substr(70000)),
          zstd_packed("") + zstd_packed(bytes) + zstd_packed("")}) {
        write("a", packed);
        ASSERT_EQ(open_text("a"), FR_OK);
        EXPECT_EQ(content(), bytes);
        fr_text_close(&text);
    }
}
#endif

/* Cut anywhere or with a byte changed, a compressed file is refused and never read as something shorter. */
TEST_F(InputFile, DamagedCompressedFilesAreRefused) {
    for (const string &packed : packings(many_lines(2000))) {
        for (size_t size = 4; size < packed.size(); size += packed.size() / 97 + 1) {
            write("a", packed.substr(0, size));
            ASSERT_EQ(open_text("a"), FR_OK);
            EXPECT_EQ(read_to_the_end(), FR_ERROR_DATA) << size << " of " << packed.size();
            EXPECT_NE(strstr(error.message, "damaged"), nullptr) << error.message;
            fr_text_close(&text);
        }
        string changed = packed;
        changed[packed.size() / 2] = (char)(changed[packed.size() / 2] ^ 16);
        write("a", changed);
        ASSERT_EQ(open_text("a"), FR_OK);
        EXPECT_EQ(read_to_the_end(), FR_ERROR_DATA);
        fr_text_close(&text);
    }
}

TEST_F(InputFile, SkippedBytesAreThoseNotRead) {
    string bytes = many_lines(50000);
    auto all = packings(bytes);
    all.push_back(bytes);
    for (const string &stored : all) {
        write("a", stored);
        ASSERT_EQ(open_text("a"), FR_OK);
        fr_stream *stream = nullptr;
        ASSERT_EQ(fr_stream_open(&text, &stream, &error), FR_OK) << error.message;
        char piece[10];
        size_t got;
        for (size_t at = 0; at + 12345 < bytes.size(); at += 12345) {
            ASSERT_EQ(fr_stream_read(stream, piece, sizeof piece, &got, &error), FR_OK);
            ASSERT_EQ(string(piece, got), bytes.substr(at, sizeof piece));
            ASSERT_EQ(fr_stream_skip(stream, 12345 - sizeof piece, &error), FR_OK);
        }
        ASSERT_EQ(fr_stream_skip(stream, UINT64_MAX, &error), FR_OK);
        ASSERT_EQ(fr_stream_read(stream, piece, sizeof piece, &got, &error), FR_OK);
        EXPECT_EQ(got, 0u);
        fr_stream_free(stream);
        fr_text_close(&text);
    }
}

/* -------------------------------------------------------------------------------------------- lines */

TEST_F(InputFile, LinesWithMarkAndEitherEnding) {
    write("a", "\xef\xbb\xbfone\r\n\r\n# no\n  \nlast");
    ASSERT_EQ(open_text("a"), FR_OK);
    FR_OWNED_LINES fr_lines lines{};
    ASSERT_EQ(fr_lines_open(&text, &lines, &error), FR_OK);
    ASSERT_TRUE(fr_lines_next_content(&lines));
    EXPECT_EQ(string(lines.begin, lines.end), "one");
    EXPECT_EQ(lines.number, 1);
    ASSERT_TRUE(fr_lines_next_content(&lines));
    EXPECT_EQ(string(lines.begin, lines.end), "last");
    EXPECT_EQ(lines.number, 5);
    EXPECT_FALSE(fr_lines_next(&lines));
    EXPECT_FALSE(fr_lines_next(&lines));
}

/* Lengths around the size of the buffer, and many times it. */
TEST_F(InputFile, LinesOfEveryLength) {
    std::vector<size_t> lengths = {0, 1, 262142, 262143, 262144, 1, 0, 262145, 1500000, 3, 524288, 0};
    for (bool ends : {true, false}) {
        string bytes;
        for (size_t i = 0; i < lengths.size(); i++)
            bytes += string(lengths[i], (char)('a' + i)) + (ends || i + 1 < lengths.size() ? "\n" : "x");
        write("a", bytes);
        ASSERT_EQ(open_text("a"), FR_OK);
        FR_OWNED_LINES fr_lines lines{};
        ASSERT_EQ(fr_lines_open(&text, &lines, &error), FR_OK);
        for (size_t i = 0; i < lengths.size(); i++) {
            ASSERT_TRUE(fr_lines_next(&lines));
            EXPECT_EQ((size_t)(lines.end - lines.begin), lengths[i] + (!ends && i + 1 == lengths.size()));
            EXPECT_EQ(lines.number, (int64_t)i + 1);
        }
        EXPECT_FALSE(fr_lines_next(&lines));
        fr_text_close(&text);
    }
}

TEST_F(InputFile, ErrorValuesAreNoComments) {
    write("a", "#N/A,1\n#DIV/0!\n# comment\n#Note\n#REF! 2\n#NAMES\n#x\n");
    ASSERT_EQ(open_text("a"), FR_OK);
    FR_OWNED_LINES fr_lines lines{};
    ASSERT_EQ(fr_lines_open(&text, &lines, &error), FR_OK);
    for (int64_t number : {1, 2, 5}) {
        ASSERT_TRUE(fr_lines_next_content(&lines));
        EXPECT_EQ(lines.number, number);
    }
    lines.data_only = true;
    ASSERT_TRUE(fr_lines_next_content(&lines));
    EXPECT_EQ(lines.number, 6);
}

TEST_F(InputFile, ShownTextIsQuotedCutAndClean) {
    char shown[FR_SHOWN_SIZE];
    auto show = [&](const std::string &s) { return string(fr_text_show(shown, s.data(), s.data() + s.size())); };
    EXPECT_EQ(show(""), "nothing");
    EXPECT_EQ(show("a\x01"
                   "b"),
              "\"a?b\"");
    EXPECT_EQ(show(string(100, 'x')), "\"" + string(40, 'x') + "...\"");
    EXPECT_EQ(show(string(39, 'x') + "\xc3\xa4\xc3\xa4"), "\"" + string(39, 'x') + "...\"");
}

} // namespace
