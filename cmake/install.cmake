# What `cmake --install` puts where: headers, both libraries, the CMake package, the pkg-config file. All paths in them
# are relative to their own place, so that the installed tree can be moved.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/corrbank")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/corrbank" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT library
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(TARGETS corrbank corrbank_shared EXPORT corrbank
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT library)
install(EXPORT corrbank NAMESPACE corrbank:: FILE corrbankTargets.cmake DESTINATION "${package_dir}"
        COMPONENT library)

# What a link of the archive by a C compiler has to name.
set(corrbank_cxx_libraries m)
foreach(library stdc++ c++)
  if("${library}" IN_LIST CMAKE_CXX_IMPLICIT_LINK_LIBRARIES)
    list(PREPEND corrbank_cxx_libraries ${library})
  endif()
endforeach()

configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/corrbankConfig.cmake.in" "${PROJECT_BINARY_DIR}/corrbankConfig.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatibility SameMinorVersion)
else()
  set(compatibility SameMajorVersion)
endif()
write_basic_package_version_file("${PROJECT_BINARY_DIR}/corrbankConfigVersion.cmake" COMPATIBILITY ${compatibility})
install(FILES "${PROJECT_BINARY_DIR}/corrbankConfig.cmake" "${PROJECT_BINARY_DIR}/corrbankConfigVersion.cmake"
        DESTINATION "${package_dir}" COMPONENT library)

if(CORRBANK_CUDA)
  list(APPEND corrbank_cxx_libraries ${CMAKE_DL_LIBS})
endif()
list(TRANSFORM corrbank_cxx_libraries PREPEND "-l")
list(JOIN corrbank_cxx_libraries " " corrbank_cxx_libraries)
file(RELATIVE_PATH corrbank_prefix_from_pc "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
configure_file("${CMAKE_CURRENT_LIST_DIR}/corrbank.pc.in" "${PROJECT_BINARY_DIR}/corrbank.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/corrbank.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
        COMPONENT library)
