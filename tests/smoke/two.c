/* Two copies of the library in one program, as when a plug-in and its host both vendor it: smoke.c and credit.c once per
 * namespace, with main called one_main and two_main. */
int one_main(int argc, char **argv);
int two_main(int argc, char **argv);

int main(int argc, char **argv) {
    return one_main(argc, argv) || two_main(argc, argv);
}
