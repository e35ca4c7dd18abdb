/* Keeps a shadow of what is synced, so that a test can drop every write that is not.
 *
 * Loaded with LD_PRELOAD. Below $SYNCED_WATCH, each fsync or fdatasync of a file copies its content to
 * $SYNCED_SHADOW/file/INODE, each fsync of a folder its listing (name TAB inode) to $SYNCED_SHADOW/folder/INODE. The
 * copy is there before the call returns. A sync whose path contains $SYNCED_FORGET is not kept: as if it had been left
 * out of the program.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void give_up(const char *what) {
    perror(what);
    abort();
}

static void keep_file(const char *path, int to) {
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) give_up(path);
    for (;;) {
        ssize_t sent = sendfile(to, from, NULL, 1 << 24);
        if (sent < 0) give_up("sendfile");
        if (sent == 0) break;
    }
    close(from);
}

static void keep_folder(const char *path, int to) {
    DIR *folder = opendir(path);
    if (!folder) give_up(path);
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            dprintf(to, "%s\t%llu\n", entry->d_name, (unsigned long long)entry->d_ino);
    }
    closedir(folder);
}

static void keep(int fd) {
    const char *shadow = getenv("SYNCED_SHADOW"), *watch = getenv("SYNCED_WATCH"), *forget = getenv("SYNCED_FORGET");
    char link[64], path[PATH_MAX], self[PATH_MAX], temporary[PATH_MAX], kept[PATH_MAX];
    struct stat status;
    if (!shadow || !watch || fstat(fd, &status)) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    if (strncmp(path, watch, strlen(watch))) return;
    if (forget && *forget && strstr(path, forget)) return;
    /* Through /proc: the name may be gone, the file is not. */
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    snprintf(temporary, sizeof temporary, "%s/temporary-%ld", shadow, syscall(SYS_gettid));
    int to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0) give_up(temporary);
    int folder = S_ISDIR(status.st_mode);
    if (folder) keep_folder(self, to);
    else keep_file(self, to);
    close(to);
    snprintf(kept, sizeof kept, "%s/%s/%llu", shadow, folder ? "folder" : "file", (unsigned long long)status.st_ino);
    if (rename(temporary, kept)) give_up(kept);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int outcome = real(fd);
    int error = errno;
    if (outcome == 0) keep(fd);
    errno = error;
    return outcome;
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int outcome = real(fd);
    int error = errno;
    if (outcome == 0) keep(fd);
    errno = error;
    return outcome;
}
