# attest_hardened(TARGET): the warnings and hardening every target of ours is built with.
option(ATTEST_WERROR "Warnings are errors" OFF)
set(ATTEST_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined")

function(attest_hardened target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align -Wformat=2
    -fstack-protector-strong
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor;-Wold-style-cast>
    $<$<BOOL:${ATTEST_WERROR}>:-Werror>
    $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
  if(ATTEST_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${ATTEST_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    # A C program that links the library needs the sanitizer's C++ part, which clang leaves out.
    target_link_options(${target} PRIVATE -fsanitize=${ATTEST_SANITIZE}
      $<$<LINK_LANG_AND_ID:C,Clang>:-fsanitize-link-c++-runtime;-lstdc++>)
  endif()
endfunction()
