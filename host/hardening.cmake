# hardening.cmake - what makes a fault of memory end the program instead of serving who planted it, in optimised builds
# (a sanitizer sees more, and does not mix with it). docs/reliability.md says what it costs.

# Folders of libraries that were linked, such as MPI's, are the search path in the build tree and where it is installed.
# CMake's own way, to cut the path when it installs, leaves an empty element in the build tree, which means the current
# folder: a library planted there would be loaded.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

include(CheckCCompilerFlag)
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

if(FITRELU_HARDEN AND NOT FITRELU_SANITIZE AND NOT FITRELU_COVERAGE)
    foreach(flag -fstack-protector-strong -fcf-protection=full)
        string(MAKE_C_IDENTIFIER "FITRELU_HAS${flag}" has)
        check_c_compiler_flag(${flag} ${has})
        if(${has})
            add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:${flag}>)
        endif()
    endforeach()
    # Level 3 where the compiler knows it; older ones take it for 2. It needs optimisation, which Debug has none of.
    add_compile_options($<$<AND:$<COMPILE_LANGUAGE:C,CXX>,$<NOT:$<CONFIG:Debug>>>:-U_FORTIFY_SOURCE>
                        $<$<AND:$<COMPILE_LANGUAGE:C,CXX>,$<NOT:$<CONFIG:Debug>>>:-D_FORTIFY_SOURCE=3>)
    foreach(flag relro now)
        check_linker_flag(C "LINKER:-z,${flag}" FITRELU_HAS_LINK_${flag})
        if(FITRELU_HAS_LINK_${flag})
            add_link_options(LINKER:-z,${flag})
        endif()
    endforeach()
endif()
