/*
 * packed.h - bytes compressed by whichever of zlib and libzstd this build has.
 */
#ifndef FR_TEST_PACKED_H
#define FR_TEST_PACKED_H

#include <gtest/gtest.h>

#include <string>
#include <vector>

#ifdef FR_HAVE_ZLIB
#include <zlib.h>

inline std::string gzipped(const std::string &bytes) {
    z_stream z{};
    EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string packed(deflateBound(&z, (uLong)bytes.size()), '\0');
    z.next_in = (Bytef *)bytes.data();
    z.avail_in = (uInt)bytes.size();
    z.next_out = (Bytef *)packed.data();
    z.avail_out = (uInt)packed.size();
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    packed.resize(z.total_out);
    deflateEnd(&z);
    return packed;
}
#endif

#ifdef FR_HAVE_ZSTD
#include <zstd.h>

/* With a checksum, as the command zstd writes. */
inline std::string zstd_packed(const std::string &bytes) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    std::string packed(ZSTD_compressBound(bytes.size()), '\0');
    size_t size = ZSTD_compress2(context, packed.data(), packed.size(), bytes.data(), bytes.size());
    EXPECT_FALSE(ZSTD_isError(size));
    packed.resize(size);
    ZSTD_freeCCtx(context);
    return packed;
}
#endif

/* The bytes in every way that this build can read. */
inline std::vector<std::string> packings(const std::string &bytes) {
    std::vector<std::string> all;
    (void)bytes;
#ifdef FR_HAVE_ZLIB
    all.push_back(gzipped(bytes));
#endif
#ifdef FR_HAVE_ZSTD
    all.push_back(zstd_packed(bytes));
#endif
    return all;
}

#endif
