# parts.cmake - the optional parts: how each is found, and which sources it adds.
#
# A part is AUTO (used if it is there), ON (must be there) or OFF (not looked for). fitrelu_part is the one place that
# tells these apart: it sets FITRELU_HAVE_<NAME> and prints one line.

# The sources of the library that need a part. An empty list: no source of this version needs it.
set(FITRELU_CUDA_SOURCES  # in host/
    engine/cuda/engine.c engine/cuda/step.c engine/cuda/memory.c engine/cuda/replay.c engine/cuda/status.c
    engine/cuda/measure.c engine/cuda/cublas.c engine/cuda/dense.c)
set(FITRELU_KERNEL_SOURCES  # in kernels/, compiled by nvcc
    relu_gradient.cu survey.cu norm.cu encode.cu exchange.cu apply.cu planted.cu round_rows.cu stream.cu)
set(FITRELU_NCCL_SOURCES exchange/nccl.c exchange/nccl_host.c exchange/nccl_library.c)  # in host/
set(FITRELU_MPI_SOURCES ranks/link_mpi.c ranks/link_wait.c ranks/link_collectives.c
    ranks/link_node.c) # in host/

set(FITRELU_PARTS "") # "CUDA off, libzip on, ...", for fitrelu info

# What the line of a part that is off adds: how to get it.
set(FITRELU_HINT_CUDA ", no kernels for GPUs; -DFITRELU_CUDA=ON or 'cmake --preset cuda' builds them, which takes longer")
set(FITRELU_HINT_TESTS ", 'cmake --preset check' builds them")
set(FITRELU_HINT_BENCH ${FITRELU_HINT_TESTS})

# fitrelu_part(LABEL FOUND WHAT MISSING): WHAT names what was found, MISSING says what was not.
function(fitrelu_part label found what missing)
    string(TOUPPER "${label}" name)
    set(wanted "${FITRELU_${name}}")
    set(have OFF)
    if("${wanted}" STREQUAL "AUTO" AND found)
        set(have ON)
        message(STATUS "fitrelu: ${label}: ${what}")
    elseif("${wanted}" STREQUAL "AUTO")
        message(STATUS "fitrelu: ${label}: left out, ${missing}")
    elseif(NOT wanted)
        message(STATUS "fitrelu: ${label}: off${FITRELU_HINT_${name}}")
    elseif(found)
        set(have ON)
        message(STATUS "fitrelu: ${label}: ${what}")
    else()
        message(FATAL_ERROR "FITRELU_${name} is ON, but ${missing}")
    endif()
    set(FITRELU_HAVE_${name} ${have} PARENT_SCOPE)
    string(TOLOWER "${have}" word)
    set(FITRELU_PARTS ${FITRELU_PARTS} "${label} ${word}" PARENT_SCOPE)
endfunction()

# ------------------------------------------------------------------------------------------------ CUDA, NCCL
# The headers alone serve the tests that run the kernels on a CPU, so they are looked for in any case.
find_package(CUDAToolkit 12 QUIET)
find_path(FITRELU_CUDA_INCLUDE_DIR cuda_runtime.h
    HINTS ${CUDAToolkit_INCLUDE_DIRS} ENV CUDA_HOME ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES include)
mark_as_advanced(FITRELU_CUDA_INCLUDE_DIR)

set(found FALSE)
set(missing "the CUDA Toolkit 12 or later was not found (CUDAToolkit_ROOT names its folder)")
if(NOT FITRELU_KERNEL_SOURCES)
    set(missing "this version has no CUDA engine yet")
elseif(FITRELU_CUDA AND CUDAToolkit_FOUND)
    if(NOT CMAKE_CUDA_COMPILER AND CUDAToolkit_NVCC_EXECUTABLE)
        set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
    endif()
    if(NOT CMAKE_CUDA_ARCHITECTURES) # code for sm_80 and sm_90, and PTX for what comes after
        set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
    endif()
    set(headers TRUE) # of cuRAND and cuBLAS, which may be packages of their own beside the CUDA Toolkit
    foreach(header curand_kernel cublas_v2)
        find_path(FITRELU_${header}_INCLUDE_DIR ${header}.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
        mark_as_advanced(FITRELU_${header}_INCLUDE_DIR)
        if(headers AND NOT FITRELU_${header}_INCLUDE_DIR)
            set(headers FALSE)
            set(missing "the CUDA Toolkit's ${header}.h was not found, which may be a package of its own")
        endif()
    endforeach()
    if(headers)
        include(CheckLanguage)
        check_language(CUDA)
        set(found ${CMAKE_CUDA_COMPILER})
        set(missing "the CUDA Toolkit's nvcc does not work with this compiler")
    endif()
endif()
fitrelu_part(CUDA "${found}" "Toolkit ${CUDAToolkit_VERSION}" "${missing}")
if(FITRELU_HAVE_CUDA)
    enable_language(CUDA)
endif()

set(found FALSE)
set(missing "nccl.h was not found (NCCL_ROOT names its folder)")
if(NOT FITRELU_NCCL_SOURCES)
    set(missing "this version has no exchange over NCCL yet")
elseif(NOT FITRELU_HAVE_CUDA)
    set(missing "it needs CUDA, which is off")
elseif(FITRELU_NCCL)
    find_path(FITRELU_NCCL_INCLUDE_DIR nccl.h HINTS ${NCCL_ROOT} ENV NCCL_ROOT ${CUDAToolkit_INCLUDE_DIRS}
        PATH_SUFFIXES include)
    find_library(FITRELU_NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${NCCL_ROOT} ENV NCCL_ROOT ${CUDAToolkit_LIBRARY_DIR}
        PATH_SUFFIXES lib lib64)
    if(FITRELU_NCCL_INCLUDE_DIR) # the library itself is opened at run time
        set(found TRUE)
    endif()
endif()
fitrelu_part(NCCL "${found}" "${FITRELU_NCCL_INCLUDE_DIR}/nccl.h" "${missing}")

# ------------------------------------------------------------------------------------------------------- MPI
set(found FALSE)
set(missing "no MPI compiler was found (mpicc in PATH, or MPI_HOME)")
if(NOT FITRELU_MPI_SOURCES)
    set(missing "this version has no exchange over MPI yet")
elseif(FITRELU_MPI)
    find_package(MPI QUIET COMPONENTS C)
    set(found ${MPI_C_FOUND})
endif()
fitrelu_part(MPI "${found}" "MPI ${MPI_C_VERSION}" "${missing}")

# --------------------------------------------------------------------------------- libzip, zlib, zstd, xxhash
# Found by header and library rather than by libzip's own package file, which in Debian insists on tools that come
# in other packages.
# FITRELU_FILE_LIBRARIES: those that are used; FITRELU_FILE_LINKS: what the linker calls them.
set(FITRELU_FILE_LIBRARIES "")
set(FITRELU_FILE_LINKS "")
set(labels libzip zlib zstd)
set(libraries zip z zstd)
set(kinds NPZ gzip zstd)
foreach(label library files IN ZIP_LISTS labels libraries kinds)
    string(TOUPPER "${label}" name)
    string(REGEX REPLACE "^z$" "zlib" header "${library}")
    set(found FALSE)
    if(FITRELU_${name})
        find_path(FITRELU_${name}_INCLUDE_DIR ${header}.h)
        find_library(FITRELU_${name}_LIBRARY ${library})
        if(FITRELU_${name}_INCLUDE_DIR AND FITRELU_${name}_LIBRARY)
            set(found TRUE)
        endif()
    endif()
    fitrelu_part(${label} "${found}" "${FITRELU_${name}_LIBRARY}"
        "${header}.h and lib${library} were not found (no ${files} files)")
    if(FITRELU_HAVE_${name})
        list(APPEND FITRELU_FILE_LIBRARIES ${label})
        list(APPEND FITRELU_FILE_LINKS ${library})
    endif()
endforeach()

set(found FALSE)
if(FITRELU_XXHASH)
    find_path(FITRELU_XXHASH_INCLUDE_DIR xxhash.h)
    set(found ${FITRELU_XXHASH_INCLUDE_DIR})
endif()
fitrelu_part(xxhash "${found}" "${FITRELU_XXHASH_INCLUDE_DIR}/xxhash.h"
    "xxhash.h was not found (the built-in checksum serves)")

# ------------------------------------------------------------------------------------------------------ BLAS
# Any library with the C interface of a BLAS; OpenBLAS first, and known by the calls that set its threads.
set(found FALSE)
if(FITRELU_BLAS)
    find_path(FITRELU_BLAS_INCLUDE_DIR cblas.h HINTS ${BLAS_ROOT} ENV BLAS_ROOT PATH_SUFFIXES include openblas)
    find_library(FITRELU_BLAS_LIBRARY NAMES openblas blis cblas blas HINTS ${BLAS_ROOT} ENV BLAS_ROOT
        PATH_SUFFIXES lib lib64)
    mark_as_advanced(FITRELU_BLAS_INCLUDE_DIR FITRELU_BLAS_LIBRARY)
    if(FITRELU_BLAS_INCLUDE_DIR AND FITRELU_BLAS_LIBRARY)
        include(CheckSymbolExists)
        set(CMAKE_REQUIRED_INCLUDES ${FITRELU_BLAS_INCLUDE_DIR})
        set(CMAKE_REQUIRED_LIBRARIES ${FITRELU_BLAS_LIBRARY} m Threads::Threads)
        check_symbol_exists(cblas_dtrsm cblas.h FITRELU_BLAS_WORKS)
        check_symbol_exists(openblas_get_corename cblas.h FITRELU_BLAS_IS_OPENBLAS)
        unset(CMAKE_REQUIRED_INCLUDES)
        unset(CMAKE_REQUIRED_LIBRARIES)
        get_filename_component(FITRELU_BLAS_NAME "${FITRELU_BLAS_LIBRARY}" NAME)
        set(found ${FITRELU_BLAS_WORKS})
    endif()
endif()
fitrelu_part(BLAS "${found}" "${FITRELU_BLAS_LIBRARY}"
    "cblas.h and a BLAS with it were not found (BLAS_ROOT names their folder; plain loops serve)")

set(FITRELU_LIBRARY_PARTS ${FITRELU_PARTS}) # what follows is no part of the library

# --------------------------------------------------------------------------------------------- tests, benches
# A built GoogleTest (GTEST_ROOT, CMAKE_PREFIX_PATH or the system's), else its sources: in GTEST_ROOT, or where Debian
# and Ubuntu put them.
set(FITRELU_GTEST_SOURCES "")
if(FITRELU_TESTS)
    find_package(GTest QUIET)
    if(NOT GTest_FOUND)
        foreach(folder "${GTEST_ROOT}" "$ENV{GTEST_ROOT}" /usr/src/googletest)
            if(folder AND EXISTS "${folder}/googletest/CMakeLists.txt" AND NOT FITRELU_GTEST_SOURCES)
                set(FITRELU_GTEST_SOURCES "${folder}")
            endif()
        endforeach()
    endif()
endif()
set(found FALSE)
set(what "GoogleTest ${GTest_VERSION}")
if(GTest_FOUND)
    set(found TRUE)
elseif(FITRELU_GTEST_SOURCES)
    set(found TRUE)
    set(what "GoogleTest from ${FITRELU_GTEST_SOURCES}")
endif()
fitrelu_part(tests "${found}" "${what}" "GoogleTest was not found (GTEST_ROOT names its folder)")

if(FITRELU_BENCH)
    find_package(benchmark QUIET)
endif()
fitrelu_part(bench "${benchmark_FOUND}" "Google Benchmark ${benchmark_VERSION}" "Google Benchmark was not found")
