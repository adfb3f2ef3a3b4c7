/*
 * scratch.h - files for tests: a folder of one test's own, hand-made NPY arrays, and checks of failure lines.
 */
#ifndef FR_TEST_SCRATCH_H
#define FR_TEST_SCRATCH_H

#include <gtest/gtest.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" {
#include "data/dataset.h"
}

#ifdef FR_HAVE_LIBZIP
#include <zip.h>
#endif

/* A temporary folder that is removed with its files after the test. */
class Scratch : public ::testing::Test {
  protected:
    std::string folder;

    void SetUp() override {
        const char *place = getenv("TMPDIR");
        std::string pattern = std::string(place ? place : "/tmp") + "/fitrelu-test-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    void TearDown() override {
        for (const std::string &name : names()) unlink(at(name).c_str());
        rmdir(folder.c_str());
    }
    std::string at(const std::string &name) const { return folder + "/" + name; }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        DIR *open = opendir(folder.c_str());
        while (dirent *entry = open ? readdir(open) : nullptr) {
            std::string name = entry->d_name;
            if (name != "." && name != "..") found.push_back(name);
        }
        if (open) closedir(open);
        return found;
    }
    std::string write(const std::string &name, const std::string &bytes) const {
        std::ofstream(at(name), std::ios::binary) << bytes;
        return at(name);
    }
    std::string read(const std::string &name) const {
        std::ifstream file(at(name), std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }
#ifdef FR_HAVE_LIBZIP
    /* A ZIP archive of files. */
    struct Entry {
        std::string name, bytes;
    };
    std::string archive(const std::string &name, const std::vector<Entry> &entries, bool deflate) const {
        unlink(at(name).c_str());
        int code = 0;
        zip_t *zip = zip_open(at(name).c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
        EXPECT_NE(zip, nullptr);
        for (const Entry &entry : entries) {
            zip_source_t *source = zip_source_buffer(zip, entry.bytes.data(), entry.bytes.size(), 0);
            zip_int64_t index = zip_file_add(zip, entry.name.c_str(), source, 0);
            zip_set_file_compression(zip, (zip_uint64_t)index, deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
        }
        EXPECT_EQ(zip_close(zip), 0);
        return at(name);
    }
#endif
};

/* Reads path and frees what was read; the status and the line are kept. */
struct Refusal {
    fr_error error{};
    fr_status status;
    explicit Refusal(const std::string &path, const fr_read_options &options = {}) {
        fr_dataset *set = nullptr;
        status = fr_dataset_read(path.c_str(), &options, &set, &error);
        EXPECT_EQ(set == nullptr, status != FR_OK);
        fr_dataset_free(set);
    }
    /* The status is as told, the line names all of the words, and it is one line. */
    void expect(fr_status expected, const std::vector<std::string> &words) const {
        EXPECT_EQ(status, expected) << error.message;
        EXPECT_EQ(error.status, expected);
        EXPECT_EQ(strchr(error.message, '\n'), nullptr);
        for (const std::string &word : words)
            EXPECT_NE(std::string(error.message).find(word), std::string::npos) << word << " in: " << error.message;
    }
};

/* A data set that reads, with its values as doubles. */
struct Read {
    fr_dataset *set = nullptr;
    fr_error error{};
    fr_status status;
    explicit Read(const std::string &path, const fr_read_options &options = {}) {
        status = fr_dataset_read(path.c_str(), &options, &set, &error);
        EXPECT_EQ(status, FR_OK) << error.message;
    }
    ~Read() { fr_dataset_free(set); }
    Read(const Read &) = delete;
    Read &operator=(const Read &) = delete;

    void expect(int64_t samples, int64_t features, const std::vector<double> &rows,
                const std::vector<double> &labels) {
        ASSERT_NE(set, nullptr);
        ASSERT_EQ(fr_dataset_samples(set), samples);
        ASSERT_EQ(fr_dataset_features(set), features);
        ASSERT_EQ(set->local_rows, samples);
        for (int64_t i = 0; i < samples * features; i++)
            EXPECT_EQ(fr_dataset_value(set, i / features, i % features), rows[(size_t)i]) << "value " << i;
        ASSERT_EQ(set->labels == nullptr, labels.empty());
        for (size_t i = 0; i < labels.size(); i++) EXPECT_EQ(fr_dataset_label(set, (int64_t)i), labels[i]);
    }
};

/* An NPY header as NumPy writes it, with any text as dictionary. */
inline std::string npy_header(const std::string &dictionary, int version = 1) {
    size_t prefix = version == 1 ? 10 : 12;
    std::string text = dictionary;
    while ((prefix + text.size() + 1) % 64) text += ' ';
    text += '\n';
    std::string head = "\x93NUMPY";
    head += (char)version;
    head += '\0';
    for (size_t i = 0; i < prefix - 8; i++) head += (char)(text.size() >> (8 * i) & 255);
    return head + text;
}

inline std::string npy_dictionary(const std::string &dtype, const std::string &shape, bool fortran = false) {
    return "{'descr': '" + dtype + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape +
           ", }";
}

template <typename Value>
std::string npy(const std::string &dtype, const std::string &shape, const std::vector<Value> &values,
                bool fortran = false, int version = 1) {
    std::string bytes(values.size() * sizeof(Value), '\0');
    if (!values.empty()) memcpy(bytes.data(), values.data(), bytes.size());
    return npy_header(npy_dictionary(dtype, shape, fortran), version) + bytes;
}

#endif
