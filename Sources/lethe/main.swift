import ArgumentParser
print("lethe")
