# parts.cmake - the optional parts, one block each: how a part is found, and which sources it adds to the library.
#
# fitrelu_part(NAME FOUND WHAT) is the one place where AUTO, ON and OFF are told apart. It sets FITRELU_HAVE_NAME and
# prints one line. WHAT says what was found, or what to install when it was not.

# The sources that need a part. An empty list means that no source of this version does.
set(FITRELU_CUDA_SOURCES)   # in host/
set(FITRELU_KERNEL_SOURCES) # in kernels/, compiled by nvcc
set(FITRELU_NCCL_SOURCES)   # in host/
set(FITRELU_MPI_SOURCES)    # in host/

set(FITRELU_PARTS "")       # "CUDA off, libzip on, ...", for fitrelu info

function(fitrelu_part label found what missing)
    string(TOUPPER "${label}" name)
    set(wanted "${FITRELU_${name}}")
    set(have OFF)
    if(wanted STREQUAL "AUTO")
        if(found)
            set(have ON)
            message(STATUS "fitrelu: ${label}: ${what}")
        else()
            message(STATUS "fitrelu: ${label}: left out, ${missing}")
        endif()
    elseif(NOT wanted)
        message(STATUS "fitrelu: ${label}: off")
    elseif(found)
        set(have ON)
        message(STATUS "fitrelu: ${label}: ${what}")
    else()
        message(FATAL_ERROR "FITRELU_${name} is ON, but ${missing}")
    endif()
    set(FITRELU_HAVE_${name} ${have} PARENT_SCOPE)
    string(TOLOWER "${label} ${have}" word)
    if(NOT name MATCHES "^(TESTS|BENCH)$")
        string(REPLACE "${name}" "${label}" word "${word}")
        list(APPEND FITRELU_PARTS "${label} $<LOWER_CASE:${have}>")
        set(FITRELU_PARTS "${FITRELU_PARTS}" PARENT_SCOPE)
    endif()
endfunction()
