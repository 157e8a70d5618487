/* The limit study: training steps of a dense net (forward, backward, Adam, float32) by OpenBLAS and loops fused by hand.
 *
 *   cc -O3 -march=native -ffast-math limit.c -L LIB -lscipy_openblas -lm; ./a.out THREADS BATCH SIZE SIZE ...
 *
 * Each line of standard input holds a number of steps; each line of output, how many seconds they took.  One output is
 * trained by squared error, several by cross entropy.  -ffast-math: this says what the machine can do, and promises nothing
 * about the bits.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

extern void scipy_cblas_sgemm(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *,
                              int);
extern void scipy_openblas_set_num_threads(int);

enum { ROW_MAJOR = 101, PLAIN = 111, TURNED = 112, MOST = 64 };

static int layers, batch, size[MOST];
static long weights[MOST], biases[MOST], parameters;
static float *p, *g, *m, *v, *output[MOST], *delta[MOST];
static int *class;
static float *number;
static double updates;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static float *floats(long n) {
    float *found = aligned_alloc(64, (n * sizeof(float) + 127) / 64 * 64);
    for (long i = 0; i < n; i++) found[i] = 0;
    return found;
}

static float uniform(void) { return rand() / (float)RAND_MAX - .5f; }

static void forward(void) {
    for (int l = 0; l < layers; l++) {
        int n = size[l + 1];
        float *out = output[l + 1];
        const float *bias = p + biases[l];
        scipy_cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, batch, n, size[l], 1, output[l], size[l], p + weights[l], n, 0, out, n);
        if (l < layers - 1)
            for (int r = 0; r < batch; r++)
                for (int j = 0; j < n; j++) {
                    float z = out[r * n + j] + bias[j];
                    out[r * n + j] = z > 0 ? z : 0;
                }
        else
            for (int r = 0; r < batch; r++)
                for (int j = 0; j < n; j++) out[r * n + j] += bias[j];
    }
}

static void loss(void) {
    int n = size[layers];
    const float *z = output[layers];
    float *d = delta[layers];
    if (n == 1) {
        for (int r = 0; r < batch; r++) d[r] = 2 * (z[r] - number[r]) / batch;
        return;
    }
    for (int r = 0; r < batch; r++, z += n, d += n) {
        float most = z[0], sum = 0;
        for (int j = 1; j < n; j++) most = z[j] > most ? z[j] : most;
        for (int j = 0; j < n; j++) sum += d[j] = expf(z[j] - most);
        for (int j = 0; j < n; j++) d[j] /= sum * batch;
        d[class[r]] -= 1.f / batch;
    }
}

static void backward(void) {
    for (int l = layers - 1; l >= 0; l--) {
        int n = size[l + 1], k = size[l];
        const float *d = delta[l + 1];
        float *db = g + biases[l];
        scipy_cblas_sgemm(ROW_MAJOR, TURNED, PLAIN, k, n, batch, 1, output[l], k, d, n, 0, g + weights[l], n);
        for (int j = 0; j < n; j++) db[j] = 0;
        for (int r = 0; r < batch; r++)
            for (int j = 0; j < n; j++) db[j] += d[r * n + j];
        if (!l) continue;
        scipy_cblas_sgemm(ROW_MAJOR, PLAIN, TURNED, batch, k, n, 1, d, n, p + weights[l], n, 0, delta[l], k);
        for (long i = 0; i < (long)batch * k; i++) delta[l][i] = output[l][i] > 0 ? delta[l][i] : 0;
    }
}

static void adam(void) {
    updates += 1;
    float one = 1 / (1 - pow(.9, updates)), two = 1 / (1 - pow(.999, updates));
    for (long i = 0; i < parameters; i++) {
        m[i] = .9f * m[i] + .1f * g[i];
        v[i] = .999f * v[i] + .001f * g[i] * g[i];
        p[i] -= 1e-3f * (m[i] * one) / (sqrtf(v[i] * two) + 1e-8f);
    }
}

int main(int count, char **word) {
    if (count < 5 || count - 3 > MOST) return 2;
    scipy_openblas_set_num_threads(atoi(word[1]));
    batch = atoi(word[2]);
    layers = count - 4;
    for (int l = 0; l <= layers; l++) size[l] = atoi(word[l + 3]);
    for (int l = 0; l < layers; l++) {
        weights[l] = parameters;
        parameters += (long)size[l] * size[l + 1];
        biases[l] = parameters;
        parameters += size[l + 1];
    }
    p = floats(parameters), g = floats(parameters), m = floats(parameters), v = floats(parameters);
    class = malloc(batch * sizeof(int)), number = floats(batch);
    for (int l = 0; l < layers; l++) {
        float bound = 2 / sqrtf(size[l]);
        for (long i = weights[l]; i < biases[l] + size[l + 1]; i++) p[i] = uniform() * bound;
    }
    for (int l = 0; l <= layers; l++) output[l] = floats((long)batch * size[l]), delta[l] = floats((long)batch * size[l]);
    for (long i = 0; i < (long)batch * size[0]; i++) output[0][i] = 3 * uniform();
    for (int r = 0; r < batch; r++) class[r] = rand() % size[layers], number[r] = 3 * uniform();
    long steps;
    while (scanf("%ld", &steps) == 1) {
        double start = seconds();
        for (long i = 0; i < steps; i++) forward(), loss(), backward(), adam();
        printf("%.9f\n", seconds() - start);
        fflush(stdout);
    }
    return 0;
}
