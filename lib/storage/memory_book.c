/*
 * Customers, accounts and items of the storage in memory: how they are found, and in which order.
 *
 * 1. Every hash table is open-addressed with linear probing, holds pointers, and is never more than 3/4 full.
 * 2. The sorted list of customers is cut into leaves of bounded size, so that a customer is added and the place behind
 *    a key is found without moving or walking the book.
 * 3. Tables of items belong to customers: what one command touches lies close together, whatever the size of the book.
 */
#include "memory_private.h"

#include <string.h>

uint32_t crd__memory_hash(uint32_t seed, const void *bytes, uint64_t size) {
    const unsigned char *at = bytes;
    uint64_t hash = seed ^ size * UINT64_C(0x9e3779b97f4a7c15), word;
    for (; size >= 8; size -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    word = 0;
    if (size > 0) memcpy(&word, at, (size_t)size);
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 32) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)(hash >> 32);
}

static crd__customer *memory_find_customer(const crd_memory *m, const char *name, uint32_t hash) {
    uint32_t mask = m->table_size - 1;
    if (m->table_size == 0) return NULL;
    for (uint32_t i = hash & mask; m->table[i] != NULL; i = (i + 1) & mask)
        if (m->table[i]->hash == hash && strcmp(m->table[i]->name, name) == 0) return m->table[i];
    return NULL;
}

crd__customer *crd__memory_customer(const crd_memory *m, const char *name) {
    return memory_find_customer(m, name, crd__memory_hash(0, name, strlen(name)));
}

static void put_customer(crd__customer **table, uint32_t size, crd__customer *customer) {
    uint32_t i = customer->hash & (size - 1);
    while (table[i] != NULL) i = (i + 1) & (size - 1);
    table[i] = customer;
}

static int table_room(crd_memory *m) {
    uint64_t size = m->table_size > 0 ? (uint64_t)m->table_size * 2 : 64;
    crd__customer **table;
    if ((uint64_t)(m->customer_count + 1) * 4 <= (uint64_t)m->table_size * 3) return 1;
    if (size > UINT32_MAX) return 0;
    table = crd__memory_take(m, size * sizeof *table);
    if (table == NULL) return 0;
    memset(table, 0, (size_t)size * sizeof *table);
    for (uint32_t i = 0; i < m->table_size; i++)
        if (m->table[i] != NULL) put_customer(table, (uint32_t)size, m->table[i]);
    crd__memory_give(m, m->table, m->table_size * sizeof *table);
    m->table = table;
    m->table_size = (uint32_t)size;
    return 1;
}

/* Where a name stands, or would be put. */
static void seek(const crd_memory *m, const char *name, crd__walk *walk) {
    uint32_t low = 0, high = m->leaf_count;
    walk->leaf = walk->at = 0;
    if (high == 0) return;
    while (high - low > 1) { /* the last leaf that does not begin behind the name, or the first */
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(m->leaves[middle]->customers[0]->name, name) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    walk->leaf = low;
    low = 0;
    high = (uint32_t)m->leaves[walk->leaf]->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (strcmp(m->leaves[walk->leaf]->customers[middle]->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    walk->at = low;
}

/* Adds an empty leaf at a place among the leaves; there is room in the list. */
static crd__leaf *add_leaf(crd_memory *m, uint32_t at, crd__leaf *leaf) {
    memmove(m->leaves + at + 1, m->leaves + at, (m->leaf_count - at) * sizeof *m->leaves);
    m->leaves[at] = leaf;
    m->leaf_count++;
    leaf->count = 0;
    return leaf;
}

static int sort_in(crd_memory *m, crd__customer *customer) {
    crd__walk walk;
    crd__leaf *leaf;
    seek(m, customer->name, &walk);
    if (m->leaf_count == 0 || m->leaves[walk.leaf]->count == CRD__LEAF) {
        crd__leaf *more;
        if (m->leaf_count == m->leaf_capacity) {
            uint32_t capacity = m->leaf_capacity + m->leaf_capacity / 2 + 16;
            void *leaves = crd__memory_grow(m, m->leaves, m->leaf_count * sizeof *m->leaves,
                                            m->leaf_capacity * sizeof *m->leaves, capacity * sizeof *m->leaves);
            if (leaves == NULL) return 0;
            m->leaves = leaves;
            m->leaf_capacity = capacity;
        }
        more = crd__memory_take(m, sizeof *more);
        if (more == NULL) return 0;
        if (m->leaf_count == 0) {
            add_leaf(m, 0, more);
        } else if (walk.leaf + 1 == m->leaf_count && walk.at == CRD__LEAF) {
            add_leaf(m, ++walk.leaf, more); /* names that come in order fill their leaves */
            walk.at = 0;
        } else {
            uint32_t half = CRD__LEAF / 2;
            add_leaf(m, walk.leaf + 1, more);
            leaf = m->leaves[walk.leaf];
            memcpy(more->customers, leaf->customers + half, (CRD__LEAF - half) * sizeof *leaf->customers);
            more->count = CRD__LEAF - half;
            leaf->count = half;
            if (walk.at > half) {
                walk.leaf++;
                walk.at -= half;
            }
        }
    }
    leaf = m->leaves[walk.leaf];
    memmove(leaf->customers + walk.at + 1, leaf->customers + walk.at,
            (size_t)(leaf->count - walk.at) * sizeof *leaf->customers);
    leaf->customers[walk.at] = customer;
    leaf->count++;
    return 1;
}

crd__customer *crd__memory_first(const crd_memory *m, crd__walk *walk, const char *name) {
    seek(m, name, walk);
    return crd__memory_next(m, walk);
}

crd__customer *crd__memory_next(const crd_memory *m, crd__walk *walk) {
    while (walk->leaf < m->leaf_count && walk->at == m->leaves[walk->leaf]->count) {
        walk->leaf++;
        walk->at = 0;
    }
    return walk->leaf < m->leaf_count ? m->leaves[walk->leaf]->customers[walk->at++] : NULL;
}

crd__customer *crd__memory_customer_make(crd_memory *m, const char *name) {
    size_t length = strlen(name);
    uint32_t hash = crd__memory_hash(0, name, length);
    crd__customer *customer = memory_find_customer(m, name, hash);
    if (customer != NULL) return customer;
    if (!table_room(m)) return NULL;
    customer = crd__memory_take(m, sizeof *customer + length + 1);
    if (customer == NULL) return NULL;
    memset(customer, 0, sizeof *customer);
    customer->hash = hash;
    memcpy(customer->name, name, length + 1);
    if (!sort_in(m, customer)) {
        crd__memory_give(m, customer, sizeof *customer + length + 1);
        return NULL;
    }
    put_customer(m->table, m->table_size, customer);
    m->customer_count++;
    return customer;
}

crd__holder *crd__memory_account(const crd__customer *customer, const char *currency) {
    for (uint32_t i = 0; i < customer->account_count; i++)
        if (strcmp(customer->accounts[i]->currency, currency) == 0) return customer->accounts[i];
    return NULL;
}

crd__holder *crd__memory_account_make(crd_memory *m, crd__customer *customer, const char *currency) {
    size_t length = strlen(currency);
    uint32_t at = 0, count = customer->account_count, capacity = customer->account_capacity;
    crd__holder *account = crd__memory_account(customer, currency);
    if (account != NULL) return account;
    if (count == capacity) {
        void *accounts = crd__memory_grow(m, customer->accounts, count * sizeof account, capacity * sizeof account,
                                          (capacity * 2 + 2) * sizeof account);
        if (accounts == NULL) return NULL;
        customer->accounts = accounts;
        customer->account_capacity = capacity * 2 + 2;
    }
    account = crd__memory_take(m, sizeof *account + length + 1);
    if (account == NULL) return NULL;
    memset(account, 0, sizeof *account);
    memcpy(account->currency, currency, length + 1);
    account->owner = customer;
    while (at < count && strcmp(customer->accounts[at]->currency, currency) < 0) at++;
    memmove(customer->accounts + at + 1, customer->accounts + at, (count - at) * sizeof account);
    customer->accounts[at] = account;
    customer->account_count++;
    return account;
}

int crd__memory_name(crd__name *name, uint32_t kind, uint32_t document_kind, const char *id, int64_t number) {
    size_t size = (id != NULL ? strlen(id) : 0) + 1;
    name->kind = kind;
    name->bytes = id != NULL ? id : "";
    if (kind == CRD_KIND_LINE) {
        if (size > sizeof name->space - sizeof number - sizeof document_kind) return 0;
        memcpy(name->space, &number, sizeof number);
        memcpy(name->space + sizeof number, &document_kind, sizeof document_kind);
        memcpy(name->space + sizeof number + sizeof document_kind, name->bytes, size);
        size += sizeof number + sizeof document_kind;
        name->bytes = name->space;
    }
    if (size > UINT16_MAX) return 0;
    name->size = (uint32_t)size;
    name->hash = crd__memory_hash(kind, name->bytes, size);
    return 1;
}

crd__item *crd__memory_item(const crd__customer *customer, const crd__name *name) {
    uint32_t mask = customer->size - 1;
    if (customer->size == 0) return NULL;
    for (uint32_t i = name->hash & mask; customer->slots[i] != NULL; i = (i + 1) & mask) {
        crd__item *item = customer->slots[i];
        if (item->hash == name->hash && item->kind == name->kind && item->key_size == name->size &&
            memcmp(item->data, name->bytes, name->size) == 0)
            return item;
    }
    return NULL;
}

static void put_item(crd__item **slots, uint32_t size, crd__item *item) {
    uint32_t i = item->hash & (size - 1);
    while (slots[i] != NULL) i = (i + 1) & (size - 1);
    slots[i] = item;
}

/* Sees to it that one more item of this batch finds a slot. */
int crd__memory_item_stage(crd_memory *m, crd__customer *customer) {
    uint64_t size = customer->size > 0 ? (uint64_t)customer->size * 2 : 8;
    if ((uint64_t)(customer->count + customer->staged + 1) * 4 > (uint64_t)customer->size * 3) {
        crd__item **slots = size <= UINT32_MAX ? crd__memory_take(m, size * sizeof *slots) : NULL;
        if (slots == NULL) return 0;
        memset(slots, 0, (size_t)size * sizeof *slots);
        for (uint32_t i = 0; i < customer->size; i++)
            if (customer->slots[i] != NULL) put_item(slots, (uint32_t)size, customer->slots[i]);
        crd__memory_give(m, customer->slots, customer->size * sizeof *slots);
        customer->slots = slots;
        customer->size = (uint32_t)size;
    }
    customer->staged++;
    return 1;
}

/* Sees to it that one more item of this batch finds a place on the shelf. */
int crd__memory_shelf_stage(crd_memory *m, crd__holder *account) {
    uint64_t need = (uint64_t)account->count + account->staged + 1, capacity;
    if (need > account->capacity) {
        void *shelf;
        capacity = need + need / 4 + 3;
        if (capacity > UINT32_MAX) return 0;
        shelf = crd__memory_grow(m, account->shelf, account->count * sizeof *account->shelf,
                                 account->capacity * sizeof *account->shelf, capacity * sizeof *account->shelf);
        if (shelf == NULL) return 0;
        account->shelf = shelf;
        account->capacity = (uint32_t)capacity;
    }
    account->staged++;
    return 1;
}

static void put_at(crd__holder *account, uint32_t place, crd__item *item) {
    account->shelf[place] = item;
    item->place = place;
}

static void exchange(crd__holder *account, uint32_t a, uint32_t b) {
    crd__item *item = account->shelf[a];
    put_at(account, a, account->shelf[b]);
    put_at(account, b, item);
}

/* Moves an item that was closed, or open, across the border between the two. */
static void sort_shelf(crd__holder *account, crd__item *item) {
    int in_front = item->place < account->open, open = (item->state & CRD__OPEN_BIT) != 0;
    if (in_front && !open) exchange(account, item->place, --account->open);
    if (!in_front && open) exchange(account, item->place, account->open++);
}

static void take_off(crd__item *item) {
    crd__holder *account = item->account;
    if (item->place < account->open) exchange(account, item->place, --account->open);
    exchange(account, item->place, --account->count);
}

/* Puts an item into the table and on its shelf, in the place of the old one if there is one. */
void crd__memory_item_publish(crd__customer *customer, crd__item *fresh, crd__item *old) {
    crd__holder *account = fresh->account;
    if (old == NULL) {
        put_item(customer->slots, customer->size, fresh);
        customer->count++;
        customer->staged = 0;
    } else {
        uint32_t mask = customer->size - 1, i = old->hash & mask;
        while (customer->slots[i] != old) i = (i + 1) & mask;
        customer->slots[i] = fresh;
    }
    if (account == NULL) return;
    if (old != NULL && old->account == account) {
        put_at(account, old->place, fresh);
    } else {
        if (old != NULL) take_off(old);
        put_at(account, account->count++, fresh);
        account->staged = 0;
    }
    sort_shelf(account, fresh);
}
