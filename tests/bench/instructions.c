/* A plugin of qemu's user mode (docs/devel/tcg-plugins of QEMU 7.2): counts guest instructions into a file of 8 bytes.
 *
 *     qemu-mips -plugin ./instructions.so,path=COUNT program
 *
 * Debian packages no header for plugins; these are the functions of version 1 that are used here.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

struct tb;
enum { ADD_U64 = 0 };
extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t, void (*)(uint64_t, struct tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct tb *, int, void *, uint64_t);
extern size_t qemu_plugin_tb_n_insns(const struct tb *);

int qemu_plugin_version = 1;
static uint64_t *count;

static void translated(uint64_t id, struct tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, count, qemu_plugin_tb_n_insns(block));
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    int file;

    (void)info;
    if (argc != 1 || strncmp(argv[0], "path=", 5))
        return 1;
    file = open(argv[0] + 5, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return 1;
    count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (count == MAP_FAILED)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
